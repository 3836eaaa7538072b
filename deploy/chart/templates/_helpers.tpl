{{- define "wan.labels" -}}
app.kubernetes.io/name: wan-pipelines
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "wan.selector" -}}
app.kubernetes.io/name: wan-pipelines
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wan.image" -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}
{{- end }}

{{- define "wan.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* Every container of ours: an ordinary user, who gains nothing, on a root that is read-only. */}}
{{- define "wan.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "wan.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* Spelt out, not by ConfigMap: a hook runs before the release's own objects are there. */}}
{{- define "wan.variables" -}}
- {name: WAN_PIPELINES_ENV, value: {{ .Values.environment | quote }}}
- {name: WAN_IMAGE, value: {{ include "wan.image" .Values.images.control | quote }}}
- {name: WAN_GPU_IMAGE, value: {{ include "wan.image" .Values.images.gpu | quote }}}
{{- range $name, $value := .Values.config }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "wan.rooms" -}}
- {name: tmp, mountPath: /tmp}
- {name: state, mountPath: /var/lib/wan}
{{- end }}

{{- define "wan.roomVolumes" -}}
- {name: tmp, emptyDir: {sizeLimit: 1Gi}}
- {name: state, emptyDir: {sizeLimit: 1Gi}}
{{- end }}
