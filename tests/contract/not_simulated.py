"""What the sandbox does not simulate, by the test that proves it on a real API server, and why.

On the sandbox these tests are skipped, and the reason is printed. ``docs/sandbox.md`` has the same
table. Whatever is not in it holds on both.
"""

from __future__ import annotations

from typing import Final

NOT_SIMULATED: Final = {
    "test_access.py::test_who_has_no_right_is_refused": (
        "no users, no RBAC: whoever can read the sandbox's folder (mode 0700) and reach loopback "
        "may do everything; Roles and bindings are stored and give nothing"
    ),
    "test_access.py::test_a_role_gives_its_rights_and_no_more": "no users, no RBAC",
    "test_access.py::test_ones_own_rights_are_told": (
        "no users, no RBAC: the review of one's own rights always says yes"
    ),
    "test_access.py::test_kubectl_asks_for_another": (
        "no users, no RBAC: acting as another (kubectl --as) is refused, not played"
    ),
    "test_access.py::test_a_wrong_token_is_unauthorized": (
        "no authentication: the kubeconfig holds no secret, tokens and certificates are not read"
    ),
    "test_access.py::test_a_token_of_an_account_lets_it_in": (
        "no authentication: ServiceAccounts have no tokens (the stores' pods mount none)"
    ),
    "test_admission.py::test_an_admission_policy_refuses": (
        "no admission policies and no webhooks: what the platform's guard refuses on a cluster "
        "is not refused here"
    ),
    "test_negotiation.py::test_an_answer_in_protobuf": (
        "answers are JSON (or YAML): bodies in protobuf are read, and kubectl, Helm and client-go "
        "name JSON as their second choice"
    ),
    "test_discovery.py::test_kinds_beyond_a_store": (
        "only the kinds that a store and its platform are made of are served; others, and custom "
        "resources, are 404"
    ),
    "test_deletion.py::test_a_pod_is_evicted": (
        "no eviction: there is one node, and nobody drains it"
    ),
    "test_apply.py::test_an_empty_list_of_rules_counts_as_a_change": (
        "a quirk of Kubernetes: an empty list that is sent and not stored makes a new generation "
        "of a NetworkPolicy at each apply; the sandbox sees no change (no store sends one)"
    ),
}
