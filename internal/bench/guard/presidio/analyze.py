"""Reads texts as JSON, one a line, and writes what presidio-analyzer finds in each."""

import json
import sys

from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider

provider = NlpEngineProvider(
    nlp_configuration={
        "nlp_engine_name": "spacy",
        "models": [{"lang_code": "en", "model_name": sys.argv[1]}],
    }
)
analyzer = AnalyzerEngine(nlp_engine=provider.create_engine())
for line in sys.stdin:
    found = analyzer.analyze(json.loads(line), language="en")
    spans = [{"kind": f.entity_type, "start": f.start, "end": f.end} for f in found]
    print(json.dumps(spans), flush=True)
