// SPDX-License-Identifier: Apache-2.0

// The peer that the services are measured beside: the same methods on gRPC's C++ library, in its callback form, which
// is its fastest.
//
//     peer_server PORT [CERTIFICATE KEY]

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "greeter/greeter.grpc.pb.h"
#include "grpc/testing/test.grpc.pb.h"

namespace {

using grpc::testing::ResponseParameters;
using Request = grpc::testing::StreamingOutputCallRequest;
using Response = grpc::testing::StreamingOutputCallResponse;

class Greeter final : public pb::Greeter::CallbackService {
  grpc::ServerUnaryReactor* SayHello(grpc::CallbackServerContext* context, const pb::HelloRequest* request,
                                     pb::HelloReply* reply) override {
    reply->set_message("Hello, " + request->name() + "!");
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// Writes a response for each of a request's parameters.
class Output final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit Output(const Request* request) : request_(*request) { Next(); }
  void OnWriteDone(bool ok) override { ok ? Next() : Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (index_ == request_.response_parameters_size()) return Finish(grpc::Status::OK);
    response_.mutable_payload()->mutable_body()->assign(request_.response_parameters(index_++).size(), '\0');
    StartWrite(&response_);
  }

  const Request request_;
  Response response_;
  int index_ = 0;
};

// Answers each request with the first of its parameters, as it comes.
class Duplex final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  Duplex() { StartRead(&request_); }
  void OnReadDone(bool ok) override {
    if (!ok || request_.response_parameters_size() == 0) return Finish(grpc::Status::OK);
    response_.mutable_payload()->mutable_body()->assign(request_.response_parameters(0).size(), '\0');
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override { ok ? StartRead(&request_) : Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  Request request_;
  Response response_;
};

class Test final : public grpc::testing::TestService::CallbackService {
  grpc::ServerWriteReactor<Response>* StreamingOutputCall(grpc::CallbackServerContext*,
                                                          const Request* request) override {
    return new Output(request);
  }
  grpc::ServerBidiReactor<Request, Response>* FullDuplexCall(grpc::CallbackServerContext*) override {
    return new Duplex();
  }
};

std::string Read(const char* path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2 && count != 4) {
    std::cerr << "usage: peer_server PORT [CERTIFICATE KEY]\n";
    return 2;
  }
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  if (count == 4) {
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({Read(arguments[3]), Read(arguments[2])});
    credentials = grpc::SslServerCredentials(options);
  }
  Greeter greeter;
  Test test;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(std::string("127.0.0.1:") + arguments[1], credentials);
  builder.RegisterService(&greeter);
  builder.RegisterService(&test);
  auto server = builder.BuildAndStart();
  if (!server) return 1;
  std::cout << "listening on 127.0.0.1:" << arguments[1] << std::endl;
  server->Wait();
}
