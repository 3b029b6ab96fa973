"""What the chart renders: the pod, its settings, its doors and what guards it."""

from __future__ import annotations

import base64
import re

import pytest

from socketio_cluster.cluster.cli.parser import read_options
from tests.k8s.helm import CASES, CHART

VALKEY = {"valkey": {"enabled": True}}
COMPONENT = "app.kubernetes.io/component"


def labels(found):
    return found["metadata"]["labels"]


def covers(selector, pod):
    return selector.items() <= labels(pod).items()


def test_replicas_image_and_port_are_where_everybody_looks(any_helm):
    """replicaCount, image.repository, image.tag and service.port do what they say."""
    values = {"replicaCount": 5, "image": {"repository": "r/i", "tag": "t"}, "service": {"port": 8080}}
    objects = any_helm.render(VALKEY | values)
    assert objects.node["spec"]["replicas"] == 5
    assert objects.container["image"] == "r/i:t"
    assert objects.one("Service", "chat-socketio-cluster")["spec"]["ports"][0]["port"] == 8080


def test_a_digest_wins_over_the_tag(any_helm):
    """An image named by its digest is used as that."""
    image = any_helm.render(case="redis").container["image"]
    assert re.fullmatch(r"registry\.example\.com/chat@sha256:[0-9a-f]{64}", image)


@pytest.mark.parametrize("case", CASES)
def test_restricted(any_helm, case):
    """Every container of the chart fits the restricted Pod Security Standard, and none gets a token."""
    for found in any_helm.render(case=case):
        pod = found if found["kind"] == "Pod" else found.get("spec", {}).get("template")
        if not pod:
            continue
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["runAsUser"] > 10000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            if "registry.example.com/sidecar" in container["image"]:
                continue  # ours to pass on, not to secure
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("case", CASES)
def test_selectors(any_helm, case):
    """The Services, the budget and the policies of the nodes select the nodes' pods and no others."""
    objects = any_helm.render(case=case)
    node = labels(objects.node)
    for found in objects.all("Service") + objects.all("PodDisruptionBudget") + objects.all("NetworkPolicy"):
        spec = found["spec"]
        selector = spec.get("podSelector") or spec["selector"]
        selector = selector.get("matchLabels", selector)
        part = labels(found)[COMPONENT]
        assert selector[COMPONENT] == part
        assert covers(selector, {"metadata": objects.pod["metadata"]}) == (part == "node"), found["metadata"][
            "name"
        ]
    assert objects.node["spec"]["selector"]["matchLabels"].items() <= node.items()


def test_secrets_are_files(any_helm):
    """Neither the servers' URLs nor the secret are in the pod's environment; all are where it is told."""
    objects = any_helm.render(case="rabbitmq")
    assert "amqp://" not in str(objects.node)
    assert "swordfish" not in str(objects.node)
    assert "0123456789" not in str(objects.node)
    assert objects.env["CLUSTER_BUS_FILE"] == "/etc/cluster/bus"
    assert objects.env["CLUSTER_RECOVERY_URL_FILE"] == "/etc/cluster/recovery"
    assert objects.env["CLUSTER_SECRET_FILE"] == "/etc/cluster/secret"
    volume = next(v for v in objects.pod["spec"]["volumes"] if v["name"] == "secrets")
    paths = [item["path"] for source in volume["projected"]["sources"] for item in source["secret"]["items"]]
    assert sorted(paths) == ["bus", "emit", "recovery", "secret"]
    assert "a-token-for-billing" not in str(objects.node)
    assert objects.env["CLUSTER_EMIT_TOKEN_FILE"] == "/etc/cluster/emit"
    secret = objects.one("Secret")["data"]
    assert base64.b64decode(secret["recovery"]) == b"redis://:swordfish@redis.redis:6379/0"


def test_the_redis_beside_may_have_a_secret(any_helm):
    """The URL of the Redis beside the bus is read from an existing Secret, under the key that is named."""
    beside = {"seconds": 60, "existingSecret": "beside", "existingSecretKey": "uri"}
    objects = any_helm.render({"bus": {"url": "nats://a"}, "recovery": beside})
    volume = next(v for v in objects.pod["spec"]["volumes"] if v["name"] == "secrets")
    source = next(s["secret"] for s in volume["projected"]["sources"] if s["secret"]["name"] == "beside")
    assert source["items"] == [{"key": "uri", "path": "recovery"}]
    assert "recovery" not in objects.one("Secret")["data"]


def test_existing_secrets_are_used_and_none_is_made(any_helm):
    """With existing Secrets for bus and cluster the chart makes none of its own."""
    objects = any_helm.render(case="redis")
    assert objects.all("Secret") == []
    volume = next(v for v in objects.pod["spec"]["volumes"] if v["name"] == "secrets")
    names = {source["secret"]["name"] for source in volume["projected"]["sources"]}
    assert names == {"bus", "chat-secret"}


def test_another_url_starts_new_pods(any_helm):
    """Nodes read the bus's URL when they start, so another one in the values changes the pod template."""
    one, other = (any_helm.render({"bus": {"url": f"redis://{host}:6379/0"}}).pod for host in "ab")
    assert one["metadata"]["annotations"] != other["metadata"]["annotations"]
    bus = {"bus": {"url": "nats://a"}}
    one, other = (
        any_helm.render(bus | {"recovery": {"seconds": 9, "url": f"redis://{host}"}}).pod for host in "ab"
    )
    assert one["metadata"]["annotations"] != other["metadata"]["annotations"]


def test_emit_port_is_closed_unless_asked_for(any_helm):
    """By default there is no emit port; with it there is a Service that leads to it, for who is named."""
    assert "emit" not in str(any_helm.render().node).lower()
    values = {
        "emit": {"enabled": True, "existingSecret": "t"},
        "networkPolicy": {"emitFrom": [{"podSelector": {}}]},
    }
    objects = any_helm.render(values)
    ports = {port["name"]: port["containerPort"] for port in objects.pod["spec"]["containers"][0]["ports"]}
    assert objects.env["CLUSTER_EMIT_PORT"] == str(ports["emit"])
    names = {s["metadata"]["name"]: s["spec"]["ports"][0]["targetPort"] for s in objects.all("Service")}
    assert [name for name, port in names.items() if port == "emit"] == [
        objects.node["metadata"]["name"] + "-emit"
    ]
    rule = next(r for r in objects.one("NetworkPolicy")["spec"]["ingress"] if r["ports"][0]["port"] == "emit")
    assert rule["from"] == [{"podSelector": {}}]


def test_nodes_are_told_their_own_address(any_helm):
    """A node listens for other nodes at its pod's address, which is also what it tells them."""
    assert any_helm.render().env["CLUSTER_INTERNAL_HOST"] == {"fieldRef": {"fieldPath": "status.podIP"}}


def test_limits_are_passed_on_as_whole_numbers(any_helm):
    """A million stays a million, though Helm reads numbers as floats; what is not set is not passed on."""
    env = any_helm.render(case="redis").env
    assert env["CLUSTER_MAX_CONNECTIONS"] == "1000000"
    assert env["CLUSTER_CONNECTS_PER_SECOND"] == "2.5"
    assert env["CLUSTER_MAX_AGE"] == "3600"
    assert not {"CLUSTER_MAX_PAYLOAD", "CLUSTER_MAX_AGE"} & any_helm.render().env.keys()


@pytest.mark.parametrize("case", CASES)
def test_the_command_understands_the_settings(any_helm, monkeypatch, case):
    """Every variable that the chart sets is an option of `socketio-cluster serve`, which takes its value."""
    env = {
        name: value for name, value in any_helm.render(case=case).env.items() if name.startswith("CLUSTER_")
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value if isinstance(value, str) else "10.0.0.1")
    options = vars(read_options(["serve"]))
    assert {name.removeprefix("CLUSTER_").lower() for name in env} <= options.keys()
    assert options["app"] == env["CLUSTER_APP"]
    assert options["max_connections"] == int(env["CLUSTER_MAX_CONNECTIONS"])


def test_grace_covers_the_drain(any_helm):
    """The grace period is the sum of the parts of a drain and ten seconds."""
    drain = {"preStop": 1, "delay": 20, "window": 300, "grace": 40}
    spec = any_helm.render({"drain": drain}).pod["spec"]
    assert spec["terminationGracePeriodSeconds"] == 1 + 20 + 300 + 40 + 10
    assert spec["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 1}}}


def test_probes_ask_the_probe_port(any_helm):
    """Liveness asks whether the loop turns, readiness whether the node may get clients, on the probe port."""
    container = any_helm.render().container
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "probes"}
    assert container["startupProbe"]["httpGet"] == {"path": "/livez", "port": "probes"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "probes"}


def test_the_probe_port_is_not_public(any_helm):
    """Clients' Service has one port; only named peers may use the probes', only nodes the internal one."""
    objects = any_helm.render(case="autoscaling")
    assert [p["name"] for p in objects.one("Service", "chat-socketio-cluster")["spec"]["ports"]] == ["http"]
    rules = {str(rule["ports"][0]["port"]): rule for rule in objects.one("NetworkPolicy")["spec"]["ingress"]}
    assert "from" not in rules["http"]
    assert rules["probes"]["from"][0]["namespaceSelector"]
    assert rules["9000"]["from"][0]["podSelector"]["matchLabels"][COMPONENT] == "node"


def test_every_worker_has_an_internal_port(any_helm):
    """The policy opens an internal port for each worker, and one for the successor of a worker."""
    rules = any_helm.render(case="rabbitmq").one("NetworkPolicy")["spec"]["ingress"]
    assert {"port": 9000, "endPort": 9004, "protocol": "TCP"} in [rule["ports"][0] for rule in rules]


def test_an_autoscaler_owns_the_number_of_pods(any_helm):
    """With an autoscaler the Deployment names no number itself, and going down is slower than going up."""
    objects = any_helm.render(case="autoscaling")
    assert "replicas" not in objects.node["spec"]
    spec = objects.one("HorizontalPodAutoscaler")["spec"]
    assert spec["scaleTargetRef"]["name"] == objects.node["metadata"]["name"]
    assert [m["type"] for m in spec["metrics"]] == ["ContainerResource", "Pods"]
    assert spec["metrics"][1]["pods"]["target"] == {"type": "AverageValue", "averageValue": "6000"}
    down, up = spec["behavior"]["scaleDown"], spec["behavior"]["scaleUp"]
    assert down["stabilizationWindowSeconds"] > up["stabilizationWindowSeconds"]


def test_a_first_try_fits_on_two_cores(any_helm):
    """Three pods, one more for a rollout and the Valkey take one core of two at most; the notes say so."""
    values = VALKEY | {"replicaCount": 3}
    objects = any_helm.render(values)
    valkey = objects.one("Deployment", "chat-socketio-cluster-valkey")["spec"]["template"]["spec"][
        "containers"
    ][0]
    asked = [
        int(one["resources"]["requests"]["cpu"].removesuffix("m")) for one in (objects.container, valkey)
    ]
    assert 4 * asked[0] + asked[1] <= 1000
    notes = any_helm.run("install", "chat", CHART, "--dry-run=client", values=values)
    assert f"Each asks for {asked[0]}m cpu" in notes


def test_one_pod_has_no_budget(any_helm):
    """A budget for a single pod would only hold up the drain of its machine."""
    assert any_helm.render().all("PodDisruptionBudget") == []
    assert any_helm.render(VALKEY | {"replicaCount": 2}).one("PodDisruptionBudget")


def test_pods_spread(any_helm):
    """Pods spread over machines and zones unless the values say otherwise."""
    keys = [c["topologyKey"] for c in any_helm.render().pod["spec"]["topologySpreadConstraints"]]
    assert keys == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    assert "topologySpreadConstraints" not in any_helm.render(case="extras").pod["spec"]


def test_extras_are_there(any_helm):
    """What the values add to the pod is in it, and templates in extra objects are filled in."""
    objects = any_helm.render(case="extras")
    spec = objects.pod["spec"]
    assert [c["name"] for c in spec["containers"]] == ["node", "sidecar"]
    assert spec["initContainers"][0]["name"] == "migrate"
    assert {"name": "code", "mountPath": "/app/chat"} in objects.container["volumeMounts"]
    assert objects.env["CLUSTER_LANE"] == "off"
    assert "secretKeyRef" in objects.env["DATABASE"]
    assert spec["priorityClassName"] == "high"
    assert spec["serviceAccountName"] == "chat"
    assert objects.one("ConfigMap", "chat-code")
    assert labels(objects.pod)["tier"] == "front"
    assert labels(objects.one("Service", "chat"))["team"] == "chat"


def test_the_valkey_keeps_its_word_to_itself(any_helm):
    """The trial Valkey asks for a password, and nodes get it in the URL from a Secret."""
    objects = any_helm.render(case="valkey")
    data = objects.one("Secret", "chat-socketio-cluster-valkey")["data"]
    url, config, password = (
        base64.b64decode(data[key]).decode() for key in ("url", "valkey.conf", "password")
    )
    assert url == f"redis://:{password}@chat-socketio-cluster-valkey:6379/0"
    assert f"requirepass {password}\n" in config
    assert len(password) >= 32


def test_each_load_test_is_a_job_of_its_own(any_helm):
    """Master and workers are told the same, workers find the master, and thresholds are the master's."""
    objects = any_helm.render(case="loadtest")
    master, workers = objects.one("Job", "chat-socketio-cluster-loadtest-1"), objects.all("Job")[1]
    told = [job["spec"]["template"]["spec"]["containers"][0]["args"] for job in (master, workers)]
    assert "--max-loss=0" in told[0]
    assert "--max-loss=0" not in told[1]
    assert "--expect-workers=2" in told[0]
    assert workers["spec"]["parallelism"] == 2
    assert "--master-host=chat-socketio-cluster-loadtest-1" in told[1]
    assert "--host=http://chat-socketio-cluster:80" in told[0]
    assert "--host=http://chat-socketio-cluster:80" in told[1]
    service = objects.one("Service", "chat-socketio-cluster-loadtest-1")["spec"]["selector"]
    assert service["batch.kubernetes.io/job-name"] == master["metadata"]["name"]
