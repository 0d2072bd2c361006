{{- define "signpost.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "signpost.fullname" . }}
  labels:
    {{- include "signpost.labels" . | nindent 4 }}
    # The `job` of its metrics; the rules name it.
    job: signpost-{{ .service }}
spec:
  selector: {{- include "signpost.selector" . | nindent 4 }}
  ports:
    {{- range $name, $number := include "signpost.ports" . | fromYaml }}
    - {name: {{ $name }}, port: {{ $number }}, targetPort: {{ $name }}, protocol: TCP}
    {{- end }}
{{- end }}
