// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import DNS
internal import JSON
internal import Sys

extension DNSReport {
  func appendMembers(to json: inout JSONWriter) {
    json.member("name", name.safeForDisplay)
    json.member("types", types.map { $0.name })
    json.members("hosts", hosts) { entry, json in
      json.member("line", entry.line)
      json.member("address", entry.address.text)
      json.member("names", entry.names.map { $0.safeForDisplay })
    }
    json.members("servers", servers) { server, json in append(server, to: &json) }
    json.member("warnings", warnings)
  }

  private func append(_ server: Server, to json: inout JSONWriter) {
    json.member("address", server.address.text)
    json.member("docker", server.isDocker)
    json.member("code", server.code)
    json.member("meaning", server.meaning)
    json.member("name", server.step?.name.text)
    json.members("asked", server.steps) { step, json in
      json.member("name", step.name.text)
      json.member("code", step.code)
      json.members("replies", step.replies) { reply, json in append(reply, to: &json) }
    }
    json.members("pointers", server.pointers) { pointer, json in
      let container = server.container(pointer)
      json.member("address", pointer.address.text)
      json.member("name", pointer.name.text)
      json.member("container", container?.name)
      json.member("network", container?.network)
    }
  }

  private func append(_ reply: DNSReply, to json: inout JSONWriter) {
    json.member("type", reply.question.type.name)
    json.member("code", reply.code)
    json.member("meaning", reply.meaning)
    json.member("rcode", reply.responseCode)
    json.member("transport", reply.isOverTCP ? "tcp" : "udp")
    json.member("tries", reply.tries)
    json.member("dropped", reply.strays)
    json.milliseconds("milliseconds", reply.time)
    json.members("records", reply.records) { record, json in
      json.member("name", record.name.text)
      json.member("type", record.data.type.name)
      json.member("ttl", record.timeToLive)
      json.member("data", record.data.text)
    }
  }
}
