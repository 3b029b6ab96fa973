{{/* The Jobs of the load test. */}}

{{- define "cluster.loadtestHost" -}}
{{- default (printf "http://%s:%v" (include "cluster.fullname" .) .Values.service.port) .Values.loadtest.host -}}
{{- end }}

{{/* What master and workers are told alike. */}}
{{- define "cluster.loadtestOptions" -}}
{{- $host := include "cluster.loadtestHost" . -}}
{{- with .Values.loadtest -}}
- --host={{ $host }}
- --users={{ .users }}
- --spawn-rate={{ .spawnRate }}
- --run-time={{ .runTime }}s
- --transport={{ .transport }}
# Workers may be on machines whose clocks differ.
- --clock=server
{{- range .extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Call: (dict "root" $ "arguments" LIST "pods" NUMBER). */}}
{{- define "cluster.loadtestJob" -}}
{{- $loadtest := .root.Values.loadtest -}}
# The first verdict counts.
backoffLimit: 0
ttlSecondsAfterFinished: {{ $loadtest.ttl }}
parallelism: {{ .pods }}
completions: {{ .pods }}
# Workers that lost their master, or a master whose workers never came. Five minutes are for pulling images.
activeDeadlineSeconds: {{ add $loadtest.runTime 300 }}
template:
  metadata:
    labels: {{- include "cluster.labels" (list .root "loadtest") | nindent 6 }}
  spec:
    restartPolicy: Never
    automountServiceAccountToken: false
    enableServiceLinks: false
    securityContext: {{- toYaml .root.Values.podSecurityContext | nindent 6 }}
    {{- with .root.Values.imagePullSecrets }}
    imagePullSecrets: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- $image := include "cluster.image" (dict "image" $loadtest.image "tag" .root.Chart.AppVersion) }}
    initContainers:
      # At an install the nodes start at the same time.
      - name: wait
        image: {{ $image }}
        imagePullPolicy: {{ $loadtest.image.pullPolicy }}
        command:
          - python
          - -c
          - |- {{- .root.Files.Get "files/wait.py" | nindent 14 }}
          - {{ include "cluster.loadtestHost" .root }}
        securityContext: {{- toYaml .root.Values.securityContext | nindent 10 }}
        resources: {{- toYaml $loadtest.resources | nindent 10 }}
    containers:
      - name: loadtest
        image: {{ $image }}
        imagePullPolicy: {{ $loadtest.image.pullPolicy }}
        args: {{- toYaml .arguments | nindent 10 }}
        env:
          # Libraries that want a home, such as the one that draws, find one they may write.
          - {name: HOME, value: /tmp}
        securityContext: {{- toYaml .root.Values.securityContext | nindent 10 }}
        resources: {{- toYaml $loadtest.resources | nindent 10 }}
        volumeMounts:
          - {name: tmp, mountPath: /tmp}
    volumes:
      - name: tmp
        emptyDir: {sizeLimit: 64Mi}
{{- end }}
