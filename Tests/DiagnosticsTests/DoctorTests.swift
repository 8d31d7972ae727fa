// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON
import Netlink
import Testing

@testable import Diagnostics

@Suite struct DoctorTests {
  private let target: Endpoint

  init() throws { target = try Endpoint(["user-service:50051"]) }

  private func report(
    _ checks: [Check], _ surroundings: Surroundings = Surroundings(), well: Set<String> = []
  ) -> DoctorReport {
    DoctorReport(
      endpoint: target, expectation: .grpc, checks: checks, well: well, surroundings: surroundings,
      success: "serves gRPC", time: 0)
  }

  private func text(_ report: DoctorReport) -> String {
    var output = TextOutput(hasColour: false)
    report.write(to: &output)
    return output.text
  }

  @Test("where nothing is wrong, the diagnosis is OK, once")
  func fine() {
    let report = report([
      Check(.tcp, .ok, "OK", "10.0.0.2:50051 open", at: "10.0.0.2:50051"),
      Check(.environment, .note, "NO_CA_STORE", "there are no certificates of authorities"),
      Check(.health, .ok, "OK", "SERVING", at: "10.0.0.2:50051"),
    ])
    #expect(report.code == "OK" && report.worst == .note && report.error == nil)
    #expect(report.verdict.candidates.isEmpty && report.verdict.next.isEmpty)
    #expect(text(report).components(of: "DIAGNOSIS") == 1)
    #expect(text(report).contains("DIAGNOSIS  OK  user-service:50051: serves gRPC\n"))
  }

  @Test("the first layer that fails is the diagnosis, whatever came first; the others are its evidence")
  func firstLayer() {
    let report = report([
      Check(.tcp, .failure, "TCP_REFUSED", "10.0.0.2:50051 refused", at: "10.0.0.2:50051"),
      Check(.port, .failure, "LOCALHOST_ONLY", "port 50051 is listened on at 127.0.0.1 alone", at: "10.0.0.2:50051"),
      Check(.name, .ok, "OK", "user-service is 10.0.0.2"),
    ])
    #expect(report.checks.map(\.layer) == [.port, .name, .tcp])
    #expect(report.code == "LOCALHOST_ONLY" && report.worst == .failure)
    #expect(
      report.verdict.evidence == ["port 50051 is listened on at 127.0.0.1 alone", "10.0.0.2:50051 refused"])
    #expect(text(report).components(of: "DIAGNOSIS") == 1)
  }

  @Test("a failure is worse than any warning of a layer before it")
  func severity() {
    let report = report([
      Check(.environment, .warning, "FD_LIMIT", "this process has 1020 of 1024 descriptors open"),
      Check(.health, .failure, "NOT_SERVING", "not serving", at: "10.0.0.2:50051"),
    ])
    #expect(report.code == "NOT_SERVING")
    #expect(report.verdict.evidence == ["not serving", "this process has 1020 of 1024 descriptors open"])
  }

  @Test("where one address is well, those that are not are warnings, and the name of the first of them is the code")
  func someAddresses() {
    let checks = [
      Check(.tcp, .failure, "TCP_REFUSED", "10.0.0.2:50051 refused", at: "10.0.0.2:50051"),
      Check(.tcp, .ok, "OK", "10.0.0.3:50051 open", at: "10.0.0.3:50051"),
      Check(.health, .ok, "OK", "SERVING", at: "10.0.0.3:50051"),
    ]
    let one = report(checks, well: ["10.0.0.3:50051"])
    #expect(one.worst == .warning && one.code == "TCP_REFUSED")
    // Nothing bad is known of an address that was not looked at; that does not make it well.
    let none = report(checks)
    #expect(none.worst == .failure && none.code == "TCP_REFUSED")
  }

  @Test("the next command has the target's own words, and the container's name where that is known")
  func next() throws {
    let refused = [Check(.tcp, .failure, "TCP_REFUSED", "refused", at: "10.0.0.2:50051")]
    #expect(report(refused).verdict.next == "netdiag listeners 50051, beside the server")
    var surroundings = Surroundings()
    surroundings.container = "users-1"
    #expect(report(refused, surroundings).verdict.next == "docker exec users-1 netdiag listeners 50051")
    surroundings = Surroundings()
    surroundings.isOwnHost = true
    #expect(report(refused, surroundings).verdict.next == "netdiag listeners 50051")
    let unknown = report([Check(.name, .failure, "DNS_NXDOMAIN", "no such name")])
    #expect(unknown.verdict.next == "netdiag dns user-service")
    // A target whose name is one of the words that stand for it.
    let host = DoctorReport(
      endpoint: try Endpoint(["HOST.PORT.NAME:50051"]), expectation: .grpc,
      checks: [Check(.name, .failure, "DNS_NXDOMAIN", "no such name")], well: [], surroundings: Surroundings(),
      success: "", time: 0)
    #expect(host.verdict.next == "netdiag dns HOST.PORT.NAME")
  }

  @Test("this place makes one cause likelier than another, and rules others out")
  func candidates() throws {
    let timeout = try #require(Diagnosis.named("TCP_TIMEOUT"))
    var place = Surroundings()
    #expect(place.candidates(for: timeout) == timeout.causes)
    place.isContainer = true
    place.isOnLink = false
    #expect(place.candidates(for: timeout).first == "the address is on another Docker network")
    place.isOnLink = true
    place.hasNeighbour = true
    #expect(!place.candidates(for: timeout).contains { $0.contains("another Docker network") })

    let missing = try #require(Diagnosis.named("DNS_NXDOMAIN"))
    place = Surroundings()
    place.isContainer = true
    #expect(place.candidates(for: missing).first?.contains("default bridge") == true)
    place.hasDockerResolver = true
    #expect(place.candidates(for: missing).first?.contains("default bridge") == false)

    let untrusted = try #require(Diagnosis.named("CERT_UNTRUSTED"))
    place.hasTrustStore = false
    #expect(place.candidates(for: untrusted).first?.contains("no certificates of authorities") == true)

    let servfail = try #require(Diagnosis.named("DNS_SERVFAIL"))
    place.hasDefaultRoute = false
    #expect(place.candidates(for: servfail).first?.contains("not of a network of this container") == true)
  }

  @Test("where a sidecar takes connections over, what failed behind it is the sidecar's")
  func sidecar() {
    var place = Surroundings()
    place.sidecar = "envoy (pid 7) on port 15001"
    let checks = [Check(.speech, .failure, "ACCEPTED_THEN_CLOSED", "closed at once", at: "10.0.0.2:50051")]
    let report = report(checks, place)
    #expect(report.code == "MESH_SIDECAR")
    #expect(report.verdict.evidence == ["closed at once"])
    // What the sidecar cannot be blamed for stays what it is.
    let name = self.report([Check(.name, .failure, "DNS_NXDOMAIN", "no such name")], place)
    #expect(name.code == "DNS_NXDOMAIN")
  }

  @Test("what could not be determined is no problem that was found")
  func undetermined() {
    let report = report([Check(.tcp, .unknown, "CANCELLED", "SIGINT ended the examination")])
    #expect(report.worst == .unknown && report.error == "a signal ended the run")
  }

  @Test("the document has the same keys whatever comes of the run")
  func keys() throws {
    let fine = report([Check(.tcp, .ok, "OK", "open", at: "10.0.0.2:50051")]).json.text
    let bad = report([Check(.name, .failure, "DNS_NXDOMAIN", "no such name")]).json.text
    for key in ["target", "expected", "checks", "diagnosis", "evidence", "candidates", "next", "milliseconds"] {
      #expect(fine.contains("\"\(key)\":") && bad.contains("\"\(key)\":"))
    }
  }

  @Test("a listener takes what is sent to its address, or to any")
  func listeners() throws {
    func listener(_ address: String, v6Only: Bool? = false) throws -> Listener {
      Listener(
        address: try #require(IPAddress(address)), port: 80, isIPv6Only: v6Only, queued: 0, limit: 128, userID: 0,
        inode: 1)
    }
    func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
    #expect(try listener("0.0.0.0").takes(ip("10.0.0.2")))
    #expect(try !listener("0.0.0.0").takes(ip("::1")))
    #expect(try listener("::").takes(ip("10.0.0.2")))
    #expect(try !listener("::", v6Only: true).takes(ip("10.0.0.2")))
    #expect(try listener("::ffff:127.0.0.1").takes(ip("127.0.0.1")))
    #expect(try !listener("127.0.0.1").takes(ip("10.0.0.2")))
  }
}

extension String {
  fileprivate func components(of word: String) -> Int {
    split(separator: word, omittingEmptySubsequences: false).count - 1
  }
}
