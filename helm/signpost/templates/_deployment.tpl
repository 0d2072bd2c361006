{{/* A service's Deployment. Beside `root` and `service`, `cache` may name the setting of a cache folder. */}}

{{- define "signpost.deployment" -}}
{{- $own := index .root.Values .service -}}
{{- $global := .root.Values.global -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "signpost.fullname" . }}
  labels: {{- include "signpost.labels" . | nindent 4 }}
spec:
  replicas: {{ $own.replicas }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels: {{- include "signpost.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "signpost.labels" . | nindent 8 }}
      {{- with $own.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "signpost.podSecurity" . | nindent 6 }}
      # Ten seconds beyond the service's own drain, so that it ends by itself.
      terminationGracePeriodSeconds: {{ add $global.drainTimeoutS 10 }}
      {{- with $global.image.pullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "signpost.selector" . | nindent 14 }}
      containers:
        - name: {{ .service }}
          image: {{ include "signpost.image" . | quote }}
          imagePullPolicy: {{ $global.image.pullPolicy }}
          securityContext: {{- include "signpost.containerSecurity" . | nindent 12 }}
          env: {{- include "signpost.env" . | nindent 12 }}
          ports:
            {{- range $name, $number := include "signpost.ports" . | fromYaml }}
            - {name: {{ $name }}, containerPort: {{ $number }}, protocol: TCP}
            {{- end }}
          {{- include "signpost.probes" . | nindent 10 }}
          resources: {{- toYaml $own.resources | nindent 12 }}
          volumeMounts: {{- include "signpost.volumeMounts" . | nindent 12 }}
      volumes: {{- include "signpost.volumes" . | nindent 8 }}
      {{- with $own.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $own.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}

{{- define "signpost.probes" -}}
# The process answers. Not that it is ready: it may wait for days until its authority is signed, and is alive.
startupProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 24
# The heartbeat counts as stale after 10 s; killed 30 s later at the earliest, so the process decides first.
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}
