{{- define "signpost.podDisruptionBudget" -}}
{{- $budget := (index .root.Values .service).podDisruptionBudget -}}
{{- if $budget.enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "signpost.fullname" . }}
  labels: {{- include "signpost.labels" . | nindent 4 }}
spec:
  minAvailable: {{ $budget.minAvailable }}
  # A pod that is not ready serves nobody: it must not hold up a drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "signpost.selector" . | nindent 6 }}
{{- end }}
{{- end }}
