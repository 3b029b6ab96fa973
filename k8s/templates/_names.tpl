{{/* Names and labels of the release's objects. */}}

{{- define "cluster.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* 40 characters leave room for the suffixes and for what Kubernetes appends to the names of pods. */}}
{{- define "cluster.fullname" -}}
{{- $name := include "cluster.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* What never changes, for selectors. Call: (list . "node"). */}}
{{- define "cluster.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "cluster.name" $root | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Call: (list . "node"). */}}
{{- define "cluster.labels" -}}
{{- $root := index . 0 -}}
{{ include "cluster.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "cluster.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "cluster.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* Call: (dict "image" .Values.image "tag" .Chart.AppVersion). */}}
{{- define "cluster.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .tag .image.tag }}
{{- end -}}
{{- end }}
