"""The models, as worker and enrolment server load them."""

from __future__ import annotations

from services.contracts.authority import Authority
from services.contracts.errors import Misconfigured
from services.embed.metrics import MODEL_INFO
from services.embed.model.compile import RuntimeOptions
from services.embed.model.recogniser import Recogniser
from services.embed.model.registry import load_detector, load_recogniser
from services.embed.model.yunet import YuNetDetector
from services.embed.settings import ModelSettings
from services.runtime.process import Context


def load_models(
    settings: ModelSettings, context: Context, *, min_inter_eye_px: float
) -> tuple[YuNetDetector, Recogniser]:
    """Both networks, verified and proven, for faces of this size and more. Blocks for seconds; Misconfigured."""
    options = RuntimeOptions(
        engine=settings.engine,
        device=settings.device,
        precision=settings.precision,
        intra_op_threads=settings.network_threads,
        cache_dir=settings.model_cache_dir,
    )
    detector = load_detector(settings.models_dir, options, min_inter_eye_px=min_inter_eye_px)
    recogniser = load_recogniser(settings.recogniser, settings.models_dir, options)
    info = recogniser.info
    gauge = MODEL_INFO.on(context.registry, model=[recogniser.model_id], precision=[info.precision])
    gauge.set(1, model=recogniser.model_id, engine=info.engine, precision=info.precision)
    return detector, recogniser


def refuse_other_model(bounds: Authority, model_id: str) -> None:
    """Raises Misconfigured if the deployment names another model than the one that runs here."""
    wanted = bounds.watchlist.model
    if wanted is not None and wanted != model_id:
        raise Misconfigured(
            f"the deployment's list wants model {wanted}, and {model_id} runs here: set RECOGNISER"
        )
