{{- /*
A Deployment and its PodDisruptionBudget. Its arguments: `component` is api, operator or worker, `values` its part of
the values, `settings` its variables, `port` and `portNumber` the port of its probes, and `serves` whether clients
connect to it.
*/ -}}
{{- define "renewals.deployment" -}}
{{- $name := printf "%s-%s" (include "renewals.name" .root) .component -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels:
    {{- include "renewals.labels" . | nindent 4 }}
spec:
  {{- if not (and (hasKey .values "autoscaling") .values.autoscaling.enabled) }}
  replicas: {{ .values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  selector:
    matchLabels:
      {{- include "renewals.selector" . | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  template:
    metadata:
      {{- include "renewals.podMetadata" . | nindent 6 }}
    spec:
      {{- include "renewals.podSpec" .root | nindent 6 }}
      topologySpreadConstraints:
        {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ $key }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "renewals.selector" $ | nindent 14 }}
        {{- end }}
      {{- if .serves }}
      # Longer than preStop + RENEWALS_DRAIN_SECONDS + 15 seconds to close open connections.
      {{- $drain := dig "RENEWALS_DRAIN_SECONDS" (.root.Values.settings.RENEWALS_DRAIN_SECONDS | default 30) .settings }}
      terminationGracePeriodSeconds: {{ add 30 (ceil $drain) }}
      {{- else }}
      # The current chunks have 30 seconds to finish. Another worker does a chunk that is unfinished then.
      terminationGracePeriodSeconds: 60
      {{- end }}
      containers:
        - name: {{ .component }}
          args: {{ toJson .args }}
          {{- include "renewals.container" (dict "root" .root "resources" .values.resources) | nindent 10 }}
          {{- with .settings }}
          env:
            {{- range $setting, $value := . }}
            - {name: {{ $setting }}, value: {{ include "renewals.text" $value | quote }}}
            {{- end }}
          {{- end }}
          ports:
            - {name: {{ .port }}, containerPort: {{ .portNumber }}}
          {{- include "renewals.probes" . | nindent 10 }}
          {{- if .serves }}
          lifecycle:
            preStop:
              # After this pause, the Service sends no new connections to the pod.
              sleep: {seconds: 5}
          {{- end }}
{{- if .root.Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels:
    {{- include "renewals.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .root.Values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "renewals.selector" . | nindent 6 }}
{{- end }}
{{- end }}

{{- /* The Service of one of the APIs. */ -}}
{{- define "renewals.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "renewals.name" .root }}-{{ .component }}
  labels:
    {{- include "renewals.labels" . | nindent 4 }}
spec:
  selector:
    {{- include "renewals.selector" . | nindent 4 }}
  ports:
    - {name: http, port: 80, targetPort: http}
{{- end }}
