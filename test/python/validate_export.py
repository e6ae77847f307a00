"""Reads an exported document with the published reader of its standard; ends with 1 and the reason where that refuses it.

usage: validate_export.py in-toto|slsa|spdx|hf-card|ro-crate|mlflow PATH
"""

import json
import os
import sys


def in_toto(path, predicate=None):
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
    from in_toto_attestation.v1.statement import Statement

    text = open(path, encoding="utf-8").read()
    message = json_format.Parse(text, statement_pb2.Statement())
    Statement.copy_from_pb(message).validate()
    document = json.loads(text)
    body = json.dumps(document["predicate"])
    if document["predicateType"] == "https://in-toto.io/attestation/link/v0.3":
        from in_toto_attestation.predicates.link.v0 import link_pb2

        parsed = json_format.Parse(body, link_pb2.Link())
        descriptors = parsed.materials
        assert parsed.name
    else:
        from in_toto_attestation.predicates.provenance.v1 import provenance_pb2

        assert document["predicateType"] == "https://slsa.dev/provenance/v1"
        parsed = json_format.Parse(body, provenance_pb2.Provenance())
        assert parsed.build_definition.build_type and parsed.build_definition.external_parameters
        assert parsed.run_details.builder.id
        descriptors = list(parsed.build_definition.resolved_dependencies) + list(parsed.run_details.byproducts)
    for descriptor in descriptors:
        ResourceDescriptor.copy_from_pb(descriptor).validate()


def spdx(path):
    from spdx_python_model.bindings import v3_0_1 as model

    with open(path, encoding="utf-8") as file:
        objects = model.SHACLObjectSet()
        model.JSONLDDeserializer().read(file, objects)
    # Links that lead nowhere stay texts, and what lacks a property that must be there cannot be written.
    assert not objects.missing_ids, f"leads nowhere: {sorted(objects.missing_ids)}"
    with open(os.devnull, "wb") as file:
        model.JSONLDSerializer().write(objects, file)
    types = {type(each).__name__ for each in objects.foreach()}
    for wanted in ("SpdxDocument", "ai_AIPackage"):
        assert wanted in types, f"{wanted} is not among {sorted(types)}"


def hf_card(path):
    from huggingface_hub import ModelCard

    card = ModelCard.load(path, ignore_metadata_errors=False)
    print(json.dumps({"license": card.data.license, "results": [
        {"metric": each.metric_type, "value": each.metric_value, "dataset": each.dataset_name}
        for each in card.data.eval_results or []
    ]}))


def ro_crate(path):
    from importlib import metadata

    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    # The context comes from the package that its authors publish, and nothing from the network.
    (file,) = [each for each in metadata.files("rocrate") if each.name == "ro-crate.jsonld"]
    context = file.read_text()
    assert json.loads(context)["@id"] == "https://w3id.org/ro/crate/1.1/context"

    class Answer:
        status_code = 200
        headers = {"Content-Type": "application/ld+json"}
        url = "https://w3id.org/ro/crate/1.1/context"
        text = context
        content = context.encode()
        from_cache = True
        links = {}

        def json(self):
            return json.loads(context)

        def raise_for_status(self):
            pass

    def get(self, url, **_):
        assert url == Answer.url, f"asked for {url}"
        return Answer()

    HttpRequester.get = get
    HttpRequester.has_cached = lambda self, url: True

    for profile in ("ro-crate-1.1", "process-run-crate"):
        settings = services.ValidationSettings(
            rocrate_uri=path,
            profile_identifier=profile,
            requirement_severity=models.Severity.REQUIRED,
            offline=True,
        )
        result = services.validate(settings)
        issues = [f"{profile}: {each.check.identifier}: {each.message}" for each in result.get_issues()]
        assert not result.has_issues(), "\n".join(issues)


def mlflow(path):
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    os.chdir(path)
    from mlflow import MlflowClient
    from mlflow.artifacts import list_artifacts
    from mlflow.models import Model

    client = MlflowClient("./mlruns", "./mlruns")
    (experiment,) = client.search_experiments()
    (run,) = client.search_runs([experiment.experiment_id])
    models = client.search_registered_models()
    versions = client.search_model_versions()
    loaded = Model.load(os.path.join(run.info.artifact_uri.removeprefix("file://"), "model"))
    print(json.dumps({
        "experiment": experiment.name,
        "status": run.info.status,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "tags": run.data.tags,
        "artifacts": sorted(each.path for each in client.list_artifacts(run.info.run_id, "model")),
        "flavors": sorted(loaded.flavors),
        "models": {each.name: dict(each.aliases) for each in models},
        "versions": [[each.name, each.version, each.run_id, each.tags] for each in versions],
    }))


CHECKS = {"in-toto": in_toto, "slsa": in_toto, "spdx": spdx, "hf-card": hf_card, "ro-crate": ro_crate, "mlflow": mlflow}

if __name__ == "__main__":
    CHECKS[sys.argv[1]](sys.argv[2])
