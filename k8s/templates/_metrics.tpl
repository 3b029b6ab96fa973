{{/* The label matchers of this release's series, as Prometheus finds them by ServiceMonitor or PodMonitor. */}}
{{- define "cluster.series" -}}
namespace="{{ .Release.Namespace }}", pod=~"{{ include "cluster.fullname" . }}-[a-z0-9]+-[a-z0-9]+"
{{- end }}

{{/* One alert. Call: (dict "root" $ "name" "" "expr" "" "for" "" "severity" "" "summary" "" "runbook" ""). */}}
{{- define "cluster.alert" -}}
- alert: Socketio{{ .name }}
  expr: {{ .expr | replace "RELEASE" (include "cluster.series" .root) | quote }}
  for: {{ .for }}
  labels:
    severity: {{ .severity }}
    release: {{ .root.Release.Name | quote }}
  annotations:
    summary: {{ .summary | quote }}
    runbook: {{ .runbook | quote }}
{{- end }}
