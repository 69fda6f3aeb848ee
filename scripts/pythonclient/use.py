"""Uses a client that was generated from the server's document, and says what it got.

    use.py URL, with the token in REVENANT_TOKEN and the client in PYTHONPATH
"""

import json
import os
import sys

from revenant_client import AuthenticatedClient, Client
from revenant_client.api.findings import count_findings, get_finding, list_findings, triage_finding
from revenant_client.api.search import search_findings
from revenant_client.api.secrets import get_secret, list_secrets
from revenant_client.api.sources import list_sources
from revenant_client.models import Problem, SearchFindingsOrder, Triage, TriageAction

url = sys.argv[1]
client = AuthenticatedClient(base_url=url, token=os.environ["REVENANT_TOKEN"])
said = {}

names, after = [], None
while True:
    page = list_secrets.sync(client=client, limit=1, **({"after": after} if after else {}))
    names += [secret.name for secret in page.secrets]
    after = page.next_
    if not after:
        break
said["secrets"] = names
said["secret"] = get_secret.sync("shop/db", client=client).name

unknown = get_secret.sync("shop/none", client=client)
said["unknown"] = [isinstance(unknown, Problem), unknown.status, unknown.code]
stranger = list_secrets.sync(client=AuthenticatedClient(base_url=url, token="no-token"))
said["stranger"] = [isinstance(stranger, Problem), stranger.status, stranger.code]
nobody = list_secrets.sync_detailed(client=Client(base_url=url))
said["nobody"] = int(nobody.status_code)

found = list_findings.sync(client=client)
said["findings"] = [f.id for f in found.findings]
said["verdicts"] = count_findings.sync(client=client).verdicts.additional_properties
said["oldest"] = [f.id for f in search_findings.sync(client=client, order=SearchFindingsOrder.OLDEST).findings]
said["sources"] = [s.id for s in list_sources.sync(client=client).sources]

one = get_finding.sync_detailed(said["findings"][0], client=client)
assign = Triage(action=TriageAction.ASSIGN, owner="platform")
first = triage_finding.sync_detailed(said["findings"][0], client=client, body=assign, if_match=one.headers["ETag"], idempotency_key="a-key")
again = triage_finding.sync_detailed(said["findings"][0], client=client, body=assign, if_match=one.headers["ETag"], idempotency_key="a-key")
late = triage_finding.sync_detailed(said["findings"][0], client=client, body=assign, if_match=one.headers["ETag"])
said["triage"] = [int(first.status_code), first.parsed.owner, int(again.status_code), int(late.status_code), late.parsed.code]

json.dump(said, sys.stdout)
