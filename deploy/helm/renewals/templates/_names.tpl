{{- define "renewals.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains "renewals" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-renewals" (.Release.Name | trunc 31 | trimSuffix "-") -}}
{{- end -}}
{{- end }}

{{- define "renewals.secretName" -}}
{{- .Values.secret.existingName | default (printf "%s-secrets" (include "renewals.name" .)) -}}
{{- end }}

{{- define "renewals.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{- /* Labels of an object; `component` is api, operator, worker or migrate, or is left out. */ -}}
{{- define "renewals.labels" -}}
{{- with .component -}}
app.kubernetes.io/name: {{ include "renewals.name" $.root }}-{{ . }}
{{ end -}}
app.kubernetes.io/part-of: {{ include "renewals.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") }}
{{- end }}

{{- define "renewals.selector" -}}
app.kubernetes.io/name: {{ include "renewals.name" .root }}-{{ .component }}
{{- end }}
