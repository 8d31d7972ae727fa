// SPDX-License-Identifier: Apache-2.0

/// What of this place, and of the way to the target, makes one cause of a failure likelier than another.
struct Surroundings: Equatable {
  /// Whether this is a container.
  var isContainer = false
  /// Whether names are asked of Docker's own resolver, as on each network that a user made.
  var hasDockerResolver = false
  /// Whether packets have a way beyond the own networks.
  var hasDefaultRoute = true
  /// Whether there are certificates of authorities.
  var hasTrustStore = true
  /// Whether the target's name has a point in it, as names of containers have not.
  var isDottedName = false
  /// Whether an address of the target is on a network of this place.
  var isOnLink: Bool?
  /// Whether somebody has that address on that network, as the neighbour table has it.
  var hasNeighbour = false
  /// Whether the target is this place itself, or the gateway of its network, which in a container is the host.
  var isOwnHost = false
  /// The container that an address of the target is, by the name that Docker's resolver has for it.
  var container: String?
  /// Who takes connections to the target over in this place, as a service mesh's proxy does.
  var sidecar: String?

  /// What may be behind a diagnosis, the likeliest first: the causes that are listed for its code, with those in front
  /// that this place makes likely.
  func candidates(for diagnosis: Diagnosis) -> [String] {
    let likely = likely(diagnosis.code)
    return likely + diagnosis.causes.filter { !likely.contains($0) && !isExcluded($0, diagnosis.code) }
  }

  private func likely(_ code: String) -> [String] {
    var causes: [String] = []
    switch code {
    case "DNS_NXDOMAIN" where isContainer && !hasDockerResolver && !isDottedName:
      causes.append(
        "this container is on Docker's default bridge, which knows no container's name: use a network "
          + "that you made")
    case "DNS_UNREACHABLE", "DNS_SERVFAIL", "DNS_TIMEOUT":
      guard hasDockerResolver, !isDottedName || !hasDefaultRoute else { break }
      causes.append(
        "the name is not of a network of this container: Docker's resolver asks others for it, who do not answer")
    case "TCP_TIMEOUT" where isOnLink == true && hasNeighbour:
      causes += ["a firewall drops the packets", "the server's queue is full, and it does not accept"]
    case "TCP_TIMEOUT" where isOnLink == false && isContainer:
      causes.append("the address is on another Docker network")
    case "ACCEPTED_THEN_CLOSED" where !isOwnHost:
      causes.append("the server turns this client away, or is going down")
    case "CERT_UNTRUSTED" where !hasTrustStore:
      causes.append("this image has no certificates of authorities: give a CA file")
    default: break
    }
    return causes
  }

  /// Failures in which it is not the server that spoke, where somebody takes connections over in this place.
  static let sidecarCodes = [
    "ACCEPTED_THEN_CLOSED", "CONNECTION_LOST", "NO_SETTINGS", "TLS_CLOSED", "TLS_TIMEOUT", "TLS_HANDSHAKE", "NOT_HTTP2",
    "TLS_TO_PLAINTEXT", "GRPC_FAILED",
  ]

  /// Whether what is known of this place speaks against a cause.
  private func isExcluded(_ cause: String, _ code: String) -> Bool {
    code == "TCP_TIMEOUT" && isOnLink == true && cause.hasPrefix("the address is on another")
  }
}
