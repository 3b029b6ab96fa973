{{/* Annotations for ingress controllers: a cookie where sticky.mode asks for it, and time for long polls. */}}

{{/* Those of the Service. */}}
{{- define "cluster.serviceAnnotations" -}}
{{- if and .Values.ingress.enabled (eq .Values.ingress.controller "traefik") (eq .Values.sticky.mode "cookie") }}
traefik.ingress.kubernetes.io/service.sticky.cookie: "true"
traefik.ingress.kubernetes.io/service.sticky.cookie.name: {{ .Values.sticky.cookieName | quote }}
traefik.ingress.kubernetes.io/service.sticky.cookie.httponly: "true"
traefik.ingress.kubernetes.io/service.sticky.cookie.samesite: lax
{{- end }}
{{- end }}

{{/* Those of the Ingress. Traefik has no limits by itself. */}}
{{- define "cluster.ingressAnnotations" -}}
{{- $cookie := eq .Values.sticky.mode "cookie" -}}
{{- $name := .Values.sticky.cookieName | quote -}}
{{- $seconds := .Values.idleTimeout -}}
{{- if eq .Values.ingress.controller "nginx" }}
nginx.ingress.kubernetes.io/proxy-read-timeout: {{ $seconds | quote }}
nginx.ingress.kubernetes.io/proxy-send-timeout: {{ $seconds | quote }}
nginx.ingress.kubernetes.io/proxy-buffering: "off"
{{- if $cookie }}
nginx.ingress.kubernetes.io/affinity: cookie
nginx.ingress.kubernetes.io/session-cookie-name: {{ $name }}
nginx.ingress.kubernetes.io/session-cookie-samesite: Lax
{{- end }}
{{- else if eq .Values.ingress.controller "haproxy" }}
haproxy.org/timeout-server: {{ $seconds }}s
haproxy.org/timeout-tunnel: {{ $seconds }}s
haproxy.org/load-balance: leastconn
{{- if $cookie }}
haproxy.org/cookie-persistence: {{ $name }}
{{- end }}
{{- else if eq .Values.ingress.controller "haproxy-ingress" }}
haproxy-ingress.github.io/timeout-server: {{ $seconds }}s
haproxy-ingress.github.io/timeout-tunnel: {{ $seconds }}s
haproxy-ingress.github.io/balance-algorithm: leastconn
{{- if $cookie }}
haproxy-ingress.github.io/affinity: cookie
haproxy-ingress.github.io/session-cookie-name: {{ $name }}
{{- end }}
{{- end }}
{{- end }}
