{{/* What a service's container sees of the world's files, and where it comes from. */}}

{{- define "signpost.volumeMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if ne .service "oversight" }}
- {name: keys, mountPath: /var/lib/signpost/keys}
{{- end }}
{{- if .cache }}
- {name: cache, mountPath: /var/cache/signpost}
{{- end }}
{{- range $variable, $from := (index .root.Values .service).mounts }}
- {name: {{ include "signpost.mountName" $variable }}, mountPath: {{ include "signpost.mountPath" $variable }}, readOnly: {{ not $from.writable }}}
{{- end }}
{{- end }}

{{- define "signpost.volumes" -}}
- {{ include "signpost.tmp" . | nindent 2 | trim }}
{{- if ne .service "oversight" }}
- name: keys
  persistentVolumeClaim: {claimName: {{ .root.Values.global.keys.existingClaim }}}
{{- end }}
{{- if .cache }}
- name: cache
  emptyDir: {sizeLimit: 1Gi}
{{- end }}
{{- range $variable, $from := (index .root.Values .service).mounts }}
- name: {{ include "signpost.mountName" $variable }}
  {{- if $from.claim }}
  persistentVolumeClaim: {claimName: {{ $from.claim }}, readOnly: {{ not $from.writable }}}
  {{- else }}
  secret: {secretName: {{ $from.secret }}, defaultMode: 0440}
  {{- end }}
{{- end }}
{{- end }}
