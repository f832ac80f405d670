{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{- define "pointsman.labels" -}}
{{ include "pointsman.selector" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "pointsman.selector" -}}
app.kubernetes.io/name: pointsman
{{- end }}

{{- define "pointsman.operatorSelector" -}}
{{ include "pointsman.selector" . }}
app.kubernetes.io/component: operator
{{- end }}

{{/* The operator gives the agents' pods these labels too. */}}
{{- define "pointsman.agentSelector" -}}
{{ include "pointsman.selector" . }}
app.kubernetes.io/component: agent
{{- end }}

{{- define "pointsman.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Environment variables of the agents, as JSON. */}}
{{- define "pointsman.agentEnvironment" -}}
{{- dict "POINTSMAN_LOG_LEVEL" .Values.agent.logLevel | toJson -}}
{{- end }}
