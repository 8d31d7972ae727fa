// SPDX-License-Identifier: Apache-2.0

// The library of library.proto on gRPC's C++ library, with its reflection: what library.py does, on another server.
//
//     library
//
// It says the port that it listens on, at 127.0.0.1, and serves until it is ended.

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <iostream>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "library/library.grpc.pb.h"
#include "library/loan.pb.h"

namespace {

using grpc::ServerContext;
using grpc::Status;
using library::v1::Book;

class Library final : public library::v1::Library::Service {
  Status GetBook(ServerContext* context, const library::v1::GetBookRequest* request, Book* book) override {
    context->AddInitialMetadata("x-served-by", "library-1");
    context->AddTrailingMetadata("x-cost", "3");
    book->set_title(request->title());
    book->set_pages(9007199254740993);
    book->set_state(Book::STATE_LENT);
    (*book->mutable_chapters())["one"] = 1;
    (*book->mutable_chapters())["two"] = 2;
    return Status::OK;
  }

  Status ListBooks(ServerContext*, const library::v1::ListBooksRequest* request,
                   grpc::ServerWriter<Book>* writer) override {
    for (int number = 0; number < request->limit(); ++number) {
      Book book;
      book.set_title("book " + std::to_string(number));
      *book.mutable_shelf() = request->shelf();
      if (!writer->Write(book)) break;
    }
    return Status::OK;
  }

  Status AddBooks(ServerContext*, grpc::ServerReader<Book>* reader, library::v1::Summary* summary) override {
    Book book;
    while (reader->Read(&book)) {
      summary->set_count(summary->count() + 1);
      summary->set_pages(summary->pages() + book.pages());
    }
    return Status::OK;
  }

  Status Exchange(ServerContext*, grpc::ServerReaderWriter<Book, Book>* stream) override {
    Book book;
    while (stream->Read(&book) && stream->Write(book)) {
    }
    return Status::OK;
  }

  Status Fail(ServerContext*, const library::v1::FailRequest* request, Book*) override {
    google::rpc::Status status;
    status.set_code(request->code());
    status.set_message(request->message());
    *status.mutable_details() = request->details();
    return Status(static_cast<grpc::StatusCode>(request->code()), request->message(), status.SerializeAsString());
  }
};

}  // namespace

int main() {
  // Types that nothing here names are told by reflection all the same.
  google::protobuf::LinkMessageReflection<loan::Loan>();
  google::protobuf::LinkMessageReflection<google::rpc::ErrorInfo>();
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  Library library;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&library);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  server->Wait();
}
