{{/* Where the URLs of the bus and of the Redis beside it, and the cluster's secret are. */}}

{{/* local, secret (ours), existing or valkey. */}}
{{- define "cluster.busKind" -}}
{{- if .Values.valkey.enabled -}}valkey
{{- else if .Values.bus.existingSecret -}}existing
{{- else if .Values.bus.url -}}secret
{{- else -}}local
{{- end -}}
{{- end }}

{{- define "cluster.valkeyName" -}}
{{ include "cluster.fullname" . }}-valkey
{{- end }}

{{/* Not empty if there is a Redis beside the bus. */}}
{{- define "cluster.beside" -}}
{{- if .Values.recovery.existingSecret -}}existing
{{- else if .Values.recovery.url -}}secret
{{- end -}}
{{- end }}

{{/* The volume with the files `secret`, `bus` unless the bus is local, and `recovery` if there is a Redis beside it, and `emit` for the emit port. */}}
{{- define "cluster.secretVolume" -}}
{{- $kind := include "cluster.busKind" . -}}
name: secrets
projected:
  defaultMode: 0440
  sources:
    - secret:
        name: {{ default (include "cluster.fullname" .) .Values.secret.existingSecret }}
        items: [{key: {{ ternary .Values.secret.existingSecretKey "secret" (ne .Values.secret.existingSecret "") }}, path: secret}]
    {{- if eq $kind "valkey" }}
    - secret:
        name: {{ include "cluster.valkeyName" . }}
        items: [{key: url, path: bus}]
    {{- else if eq $kind "existing" }}
    - secret:
        name: {{ .Values.bus.existingSecret }}
        items: [{key: {{ .Values.bus.existingSecretKey }}, path: bus}]
    {{- else if eq $kind "secret" }}
    - secret:
        name: {{ include "cluster.fullname" . }}
        items: [{key: bus, path: bus}]
    {{- end }}
    {{- with include "cluster.beside" . }}
    - secret:
        name: {{ default (include "cluster.fullname" $) $.Values.recovery.existingSecret }}
        items: [{key: {{ ternary $.Values.recovery.existingSecretKey "recovery" (eq . "existing") }}, path: recovery}]
    {{- end }}
    {{- if .Values.emit.enabled }}
    - secret:
        name: {{ default (include "cluster.fullname" .) .Values.emit.existingSecret }}
        items: [{key: {{ ternary .Values.emit.existingSecretKey "emit" (ne .Values.emit.existingSecret "") }}, path: emit}]
    {{- end }}
{{- end }}

{{/* A random value that stays what it was at the first install. Call: (list . SECRET-NAME KEY); base64. */}}
{{- define "cluster.kept" -}}
{{- $root := index . 0 -}}
{{- $secret := lookup "v1" "Secret" $root.Release.Namespace (index . 1) | default dict -}}
{{- $data := $secret.data | default dict -}}
{{- get $data (index . 2) | default (randAlphaNum 48 | b64enc) -}}
{{- end }}
