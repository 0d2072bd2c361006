"""What is known of a model's cosines, by the model's name: start values, measured on greyscale LFW.

They decide which pictures of a subject belong together and which subjects to look at twice, never who is
stopped: that threshold stands in the deployment's authority.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Cosines of a model: of two strangers (mean and deviation), from where on two pictures show one person,
    from where on two subjects may be one."""

    stranger_mean: float
    stranger_sd: float
    same_person: float
    duplicate: float


BY_MODEL = {
    # same_person: the threshold of 10-fold verification; duplicate: one false hit in a thousand at 100 entries.
    "sface": Limits(stranger_mean=0.107, stranger_sd=0.092, same_person=0.326, duplicate=0.50),
    # same_person: one false hit in a hundred at 10 entries; duplicate: one in a thousand at 1000.
    "dlib-resnet": Limits(stranger_mean=0.841, stranger_sd=0.034, same_person=0.929, duplicate=0.959),
}
