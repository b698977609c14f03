{{- /* A setting as text. Helm reads 10000000 as a float, which would be printed as 1e+07. */ -}}
{{- define "renewals.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end }}

{{- /* The settings of all pods, as NAME: "value" lines. */ -}}
{{- define "renewals.settings" -}}
RENEWALS_HOST: 0.0.0.0
{{- range $name, $value := .Values.settings }}
{{- if not (kindIs "invalid" $value) }}
{{ $name }}: {{ include "renewals.text" $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Whether a setting of the API is on, as text: "true" or nothing. */ -}}
{{- define "renewals.apiHas" -}}
{{- if hasKey .root.Values.api.settings .name | ternary .root.Values.api.settings .root.Values.settings | dig .name false -}}
true
{{- end -}}
{{- end }}

{{- define "renewals.checksums" -}}
checksum/settings: {{ include "renewals.settings" . | sha256sum }}
{{- if not .Values.secret.existingName }}
checksum/secret: {{ toJson .Values.secret.values | sha256sum }}
{{- end }}
{{- end }}
