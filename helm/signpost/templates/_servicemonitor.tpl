{{- define "signpost.serviceMonitor" -}}
{{- $monitoring := .root.Values.global.monitoring -}}
{{- if $monitoring.enabled }}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "signpost.fullname" . }}
  labels:
    {{- include "signpost.labels" . | nindent 4 }}
    {{- with $monitoring.labels }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  jobLabel: job
  selector:
    matchLabels: {{- include "signpost.selector" . | nindent 6 }}
  endpoints:
    - {port: http, path: /metrics, interval: {{ $monitoring.scrapeInterval }}}
{{- end }}
{{- end }}
