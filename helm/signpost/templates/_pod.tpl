{{/* What every pod and container of ours is refused: the `restricted` standard, and a read-only root. */}}

{{- define "signpost.podSecurity" -}}
automountServiceAccountToken: false
# Service addresses as variables would look like settings of ours.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  # Only where the volume's root is wrong: walking in would open the key folder (mode 0700) to the group.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "signpost.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* In memory: nothing a process puts aside reaches a disk. */}}
{{- define "signpost.tmp" -}}
name: tmp
emptyDir:
  medium: Memory
  sizeLimit: 128Mi
{{- end }}
