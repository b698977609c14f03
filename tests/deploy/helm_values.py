"""Values for the chart in deploy/helm: a minimal set, and sets that use every option."""

from typing import Any

from cryptography.fernet import Fernet

RESOURCES = {"requests": {"cpu": 1, "memory": "512Mi"}, "limits": {"cpu": 2, "memory": "2Gi"}}
PROBE = {"initialDelaySeconds": 1, "periodSeconds": 3, "timeoutSeconds": 2, "failureThreshold": 4}
SECRETS = {
    "DATABASE_URL": "postgres://renewals:secret@db:5432/renewals",
    "REDIS_URL": "redis://cache:6379/0",
    "RENEWALS_WEBHOOK_KEYS": Fernet.generate_key().decode(),
    "RENEWALS_DATABASE_REPLICA_URL": "postgres://renewals:secret@replica:5432/renewals",
}
EVERYTHING: dict[str, Any] = {
    "fullnameOverride": "billing",
    "image": {
        "repository": "ghcr.io/x/renewals",
        "tag": "1",
        "digest": f"sha256:{'0' * 64}",
        "pullPolicy": "Always",
    },
    "imagePullSecrets": [{"name": "registry"}],
    "settings": {
        "RENEWALS_CONSOLE": True,
        "RENEWALS_FEDERATION": True,
        "RENEWALS_COST_MAX": 20000000,
        "RENEWALS_DRAIN_SECONDS": 44.5,
        "RENEWALS_WEBHOOK_PORTS": "443,8443",
    },
    "secret": {"existingName": "", "values": SECRETS},
    "api": {
        "replicas": 3,
        "autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 9, "cpuPercent": 60},
        "resources": RESOURCES,
        "settings": {"RENEWALS_WORKERS": 2},
    },
    "operator": {
        "enabled": True,
        "replicas": 1,
        "resources": RESOURCES,
        "settings": {"RENEWALS_CONSOLE": False},
    },
    "worker": {"replicas": 3, "resources": RESOURCES, "settings": {"RENEWALS_WORKER_CHUNKS_AT_ONCE": 8}},
    "migration": {
        "enabled": True,
        "existingSecretName": "owner",
        "backoffLimit": 3,
        "secondsToKeep": 1000000,
        "resources": RESOURCES,
    },
    "probes": {"startup": PROBE, "liveness": PROBE, "readiness": PROBE},
    "podDisruptionBudget": {"enabled": True, "maxUnavailable": "50%"},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"nginx.ingress.kubernetes.io/proxy-read-timeout": "60"},
        "hosts": ["api.example.com", "www.example.com"],
        "tlsSecretName": "certificate",
    },
    "networkPolicy": {
        "enabled": True,
        "serverPorts": [6432, 6379],
        "serverPeers": [{"podSelector": {"matchLabels": {"app": "postgres"}}}],
        "extraEgress": [{"ports": [{"port": 4318, "protocol": "TCP"}]}],
    },
    "serviceMonitor": {"enabled": True, "interval": "15s", "labels": {"release": "prometheus"}},
    "podAnnotations": {"example.com/owner": "billing"},
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "volumes": [{"name": "documents", "configMap": {"name": "documents"}}],
    "volumeMounts": [{"name": "documents", "mountPath": "/documents", "readOnly": True}],
}
LITTLE: dict[str, Any] = {
    "api": {"autoscaling": {"enabled": False}},
    "operator": {"enabled": False},
    "migration": {"enabled": False},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
}
