{{/* Names and labels. Every named template takes a dict with `root` (the chart's context) and `service`. */}}

{{- define "signpost.fullname" -}}
{{- printf "%s-%s" (.root.Release.Name | trunc 50 | trimSuffix "-") .service -}}
{{- end }}

{{- define "signpost.selector" -}}
app.kubernetes.io/name: signpost
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .service }}
{{- end }}

{{- define "signpost.labels" -}}
{{ include "signpost.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "signpost.image" -}}
{{- $image := .root.Values.global.image -}}
{{- $name := (index .root.Values .service).image -}}
{{- /* A name with a digest says all: what runs cannot change under its tag. */ -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $name }}
{{- if not (contains "@" $name) }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{/* Every port of a service, name: number. `http` is health and metrics. */}}
{{- define "signpost.ports" -}}
http: 8080
{{- if eq .service "review" }}
web: 8443
grpc: 7443
{{- else if eq .service "oversight" }}
grpc: 7443
{{- end }}
{{- end }}
