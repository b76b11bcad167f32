"""Checks docker/compose.yaml: against the Compose Specification's JSON Schema, and that what it names is there.

    python3 tests/python/compose.py COMPOSE_FILE SCHEMA

Prints each complaint and ends with 1 when there is one, with 77 where the packages jsonschema and PyYAML are missing.
"""

import json
import sys
from pathlib import Path

try:
    import jsonschema
    import yaml
except ImportError as error:
    print(error)
    sys.exit(77)


def complaints(path, schema):
    compose = yaml.safe_load(path.read_text())
    # The schema names its draft by an address that the package does not know.
    for error in jsonschema.Draft7Validator(schema).iter_errors(compose):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
    services, volumes = compose["services"], compose.get("volumes", {})
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            if other not in services:
                yield f"{name} waits for {other}, which is no service"
            elif service["depends_on"][other]["condition"] == "service_healthy" and "healthcheck" not in services[other]:
                yield f"{name} waits for the health of {other}, which has no check"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                if not (path.parent / source).exists():
                    yield f"{name} mounts {source}, which is not there"
            elif not source.startswith("$") and source not in volumes:
                yield f"{name} mounts the volume {source}, which is not declared"
        build = service.get("build")
        if build and not (path.parent / build["context"] / build["dockerfile"]).is_file():
            yield f"{name} is built from {build['dockerfile']}, which is not there"
        if not build and service["image"] not in [other["image"] for other in services.values() if "build" in other]:
            yield f"{name} runs the image {service['image']}, which no service builds"


found = list(complaints(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())))
print("\n".join(found))
sys.exit(1 if found else 0)
