{{/* The pod of a node. */}}

{{- define "cluster.pod" -}}
serviceAccountName: {{ include "cluster.serviceAccount" . }}
automountServiceAccountToken: false
# A Service named "cluster" would otherwise set CLUSTER_PORT to an address.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds | default (include "cluster.grace" .) }}
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.initContainers }}
initContainers: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - {{- include "cluster.container" . | nindent 4 }}
  {{- with .Values.extraContainers }}{{ toYaml . | nindent 2 }}{{ end }}
volumes:
  # The supervisor's sockets, the only thing that a node writes.
  - name: tmp
    emptyDir: {medium: Memory, sizeLimit: 16Mi}
  - {{- include "cluster.secretVolume" . | nindent 4 }}
  {{- with .Values.extraVolumes }}{{ toYaml . | nindent 2 }}{{ end }}
{{- $spread := .Values.topologySpreadConstraints }}
{{- if kindIs "invalid" $spread }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "cluster.selector" (list $ "node") | nindent 8 }}
  {{- end }}
{{- else if $spread }}
topologySpreadConstraints: {{- toYaml $spread | nindent 2 }}
{{- end }}
{{- range $key := list "affinity" "nodeSelector" "tolerations" "priorityClassName" "runtimeClassName" "dnsConfig" }}
{{- with index $.Values $key }}
{{ $key }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "cluster.container" -}}
name: node
image: {{ include "cluster.image" (dict "image" .Values.image "tag" .Chart.AppVersion) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
env: {{- include "cluster.env" . | nindent 2 }}
{{- with .Values.extraEnvFrom }}
envFrom: {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - {name: http, containerPort: 8000}
  - {name: probes, containerPort: 8001}
  - {name: internal, containerPort: 9000}
  {{- if .Values.emit.enabled }}
  - {name: emit, containerPort: 8002}
  {{- end }}
startupProbe:
  httpGet: {path: /livez, port: probes}
  {{- toYaml .Values.probes.startup | nindent 2 }}
livenessProbe:
  httpGet: {path: /livez, port: probes}
  {{- toYaml .Values.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet: {path: {{ .Values.probes.readinessPath }}, port: probes}
  {{- toYaml .Values.probes.readiness | nindent 2 }}
{{- with .Values.drain.preStop }}
lifecycle:
  preStop:
    sleep: {seconds: {{ . }}}
{{- end }}
resources: {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: secrets, mountPath: /etc/cluster, readOnly: true}
  {{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
