{{/* What one service may reach and who may reach it, over the chart's deny-all. */}}

{{- define "signpost.networkPolicy" -}}
{{- $global := .root.Values.global.networkPolicy -}}
{{- $own := (index .root.Values .service).networkPolicy -}}
{{- if $global.enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "signpost.fullname" . }}
  labels: {{- include "signpost.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "signpost.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: {{- toYaml $global.prometheus.from | nindent 8 }}
      ports:
        - {protocol: TCP, port: http}
    {{- with $own.ingress }}{{ toYaml . | nindent 4 }}{{ end }}
  egress:
    {{- include "signpost.egress" $global.dns | nindent 4 }}
        - {protocol: UDP, port: {{ $global.dns.port }}}
    {{- include "signpost.egress" $global.kafka | nindent 4 }}
    {{- include "signpost.egress" $global.redis | nindent 4 }}
    {{- with $own.egress }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end }}
{{- end }}

{{- define "signpost.egress" -}}
- to: {{- toYaml .to | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ .port }}}
{{- end }}
