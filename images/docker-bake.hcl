# The four images with shared layers: `docker buildx bake -f images/docker-bake.hcl`. `nox -s wheels` comes first.
variable "BUILDER" { default = "python:3.11-slim" }
variable "BASE" { default = "gcr.io/distroless/python3-debian12:nonroot" }
variable "VERSION" { default = "0.1.0" }
variable "REVISION" { default = "unknown" }

group "default" {
  targets = ["engine", "anchoring", "manager", "data"]
}

target "image" {
  context   = "."
  platforms = ["linux/arm64"]
  args = {
    BUILDER  = BUILDER
    BASE     = BASE
    VERSION  = VERSION
    REVISION = REVISION
  }
}

target "engine" {
  inherits   = ["image"]
  dockerfile = "images/Dockerfile.engine"
  tags       = ["pickme/lucid-blockchain-engine:latest-arm64"]
}

target "anchoring" {
  inherits   = ["image"]
  dockerfile = "images/Dockerfile.anchoring"
  tags       = ["pickme/lucid-session-anchoring:latest-arm64"]
}

target "manager" {
  inherits   = ["image"]
  dockerfile = "images/Dockerfile.manager"
  tags       = ["pickme/lucid-block-manager:latest-arm64"]
}

target "data" {
  inherits   = ["image"]
  dockerfile = "images/Dockerfile.data"
  tags       = ["pickme/lucid-data-chain:latest-arm64"]
}
