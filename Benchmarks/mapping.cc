// SPDX-License-Identifier: Apache-2.0
//
// The C++ peer of protobuf-benchmark: the same arguments, the same lines. Its messages are generated code.
//
//   mapping FILE TYPE SECONDS

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "catalog.pb.h"

namespace {

using google::protobuf::Message;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "mapping: %s\n", why.c_str());
  std::exit(1);
}

/// Does `work`, which returns the bytes of JSON that it read or wrote, until the time is over, and tells how much that
/// was.
template <typename Work>
void measure(const char* name, double seconds, size_t messages, Work work) {
  using Clock = std::chrono::steady_clock;
  work();
  uint64_t rounds = 0, bytes = 0;
  const auto start = Clock::now();
  std::chrono::duration<double> taken{};
  do {
    bytes += work();
    ++rounds;
    taken = Clock::now() - start;
  } while (taken.count() < seconds);
  std::printf("%s %llu %llu %.6f\n", name, static_cast<unsigned long long>(rounds * messages),
              static_cast<unsigned long long>(bytes), taken.count());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: mapping FILE TYPE SECONDS");
  std::ifstream file(argv[1], std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> encoded;
  for (size_t at = 0; at + 4 <= content.size();) {
    uint32_t length = 0;
    for (int place = 0; place < 4; ++place)
      length |= static_cast<uint32_t>(static_cast<uint8_t>(content[at + place])) << (8 * place);
    encoded.push_back(content.substr(at + 4, length));
    at += 4 + length;
  }
  const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(argv[2]);
  if (type == nullptr) fail("the schema has no such type");
  const Message* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  const double seconds = std::atof(argv[3]);

  std::vector<std::string> documents(encoded.size());
  measure("to-json", seconds, encoded.size(), [&] {
    size_t bytes = 0;
    for (size_t i = 0; i < encoded.size(); ++i) {
      const std::unique_ptr<Message> message{prototype->New()};
      documents[i].clear();
      if (!message->ParseFromString(encoded[i])) fail("a message cannot be decoded");
      if (!google::protobuf::util::MessageToJsonString(*message, &documents[i]).ok()) fail("no JSON for a message");
      bytes += documents[i].size();
    }
    return bytes;
  });
  std::string back;
  measure("from-json", seconds, encoded.size(), [&] {
    size_t bytes = 0;
    for (const std::string& document : documents) {
      const std::unique_ptr<Message> message{prototype->New()};
      if (!google::protobuf::util::JsonStringToMessage(document, message.get()).ok()) fail("JSON cannot be read");
      back.clear();
      if (!message->AppendToString(&back)) fail("a message cannot be encoded");
      bytes += document.size();
    }
    return bytes;
  });
}
