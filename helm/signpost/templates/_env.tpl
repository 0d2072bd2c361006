{{/* The environment of a service: its variables are the fields of its Settings, in capitals. */}}

{{- define "signpost.env" -}}
{{- $global := .root.Values.global -}}
{{- $own := index .root.Values .service -}}
- {name: KAFKA_BOOTSTRAP, value: {{ $global.kafka.bootstrap | quote }}}
- name: REDIS_DURABLE_URL
  valueFrom:
    secretKeyRef: {name: {{ $global.redis.existingSecret }}, key: {{ $global.redis.durableKey }}}
- {name: AUTHORITY_ROOT, value: {{ $global.authority.root | quote }}}
{{- if eq .service "oversight" }}
- {name: ORGANISATION, value: {{ $global.authority.organisation | quote }}}
{{- else }}
- {name: DEPLOYMENT, value: {{ $global.authority.deployment | quote }}}
- name: REDIS_VOLATILE_URL
  valueFrom:
    secretKeyRef: {name: {{ $global.redis.existingSecret }}, key: {{ $global.redis.volatileKey }}}
# A folder within the claim: the service makes it itself, with mode 0700.
- {name: KEYS_DIR, value: /var/lib/signpost/keys/store}
{{- end }}
# A container that is restarted keeps its pod's name.
- name: REPLICA
  valueFrom:
    fieldRef: {fieldPath: metadata.name}
- {name: HTTP_HOST, value: 0.0.0.0}
- {name: LOG_LEVEL, value: {{ $global.logLevel }}}
- {name: DRAIN_TIMEOUT_S, value: {{ $global.drainTimeoutS | quote }}}
{{- range $port, $number := include "signpost.ports" . | fromYaml }}
- {name: {{ upper $port }}_PORT, value: {{ $number | quote }}}
{{- if ne $port "http" }}
- {name: {{ upper $port }}_HOST, value: 0.0.0.0}
{{- end }}
{{- end }}
{{- with .cache }}
- {name: {{ . }}, value: /var/cache/signpost}
{{- end }}
{{- range $variable, $value := $own.settings }}
- {name: {{ $variable }}, value: {{ include "signpost.text" $value | quote }}}
{{- end }}
{{- range $variable, $from := $own.secrets }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef: {name: {{ $from.name }}, key: {{ $from.key }}}
{{- end }}
{{- range $variable, $from := $own.mounts }}
- {name: {{ $variable }}, value: {{ include "signpost.mountPath" $variable }}{{ with $from.key }}/{{ . }}{{ end }}}
{{- end }}
{{- end }}

{{/* A number as people write it: 10000000 must not become 1e+07. */}}
{{- define "signpost.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end -}}
{{- end }}

{{- define "signpost.mountName" -}}
{{- lower . | replace "_" "-" -}}
{{- end }}

{{- define "signpost.mountPath" -}}
/etc/signpost/{{ include "signpost.mountName" . }}
{{- end }}
