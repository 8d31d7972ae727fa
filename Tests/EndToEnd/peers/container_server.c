// SPDX-License-Identifier: Apache-2.0
//
// A gRPC health server that is one static file, for containers that hold nothing else:
//
//   container_server MOOD ADDRESS [CERTIFICATE KEY]
//
// ADDRESS is a port or unix:PATH. MOOD is what each call gets: serving, not-serving, or hanging (HTTP/2 works, but no
// answer comes). SIGUSR1 turns the mood to serving, SIGUSR2 to not-serving, SIGTERM ends the server.
//
// One process a connection, so that the code can block. What is asked is not looked at: the real servers of the other
// tests see to that.

#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { HANGING = -1, SERVING = 1, NOT_SERVING = 2 };

// What the signals change. A connection lives for one check, so its process keeps the mood that it was born with.
static volatile sig_atomic_t mood;

static void change_mood(int signal) {
  if (signal == SIGTERM) _exit(0);
  mood = signal == SIGUSR1 ? SERVING : NOT_SERVING;
}

static _Noreturn void fail(const char *what) {
  perror(what);
  exit(1);
}

// The connection: plaintext where there is no TLS.

struct connection {
  int socket;
  SSL *tls;
};

static ssize_t receive(struct connection *connection, uint8_t *bytes, size_t count) {
  return connection->tls ? SSL_read(connection->tls, bytes, (int)count) : read(connection->socket, bytes, count);
}

static int send_all(struct connection *connection, const uint8_t *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent =
        connection->tls ? SSL_write(connection->tls, bytes, (int)count) : write(connection->socket, bytes, count);
    if (sent <= 0) return -1;
    bytes += sent;
    count -= (size_t)sent;
  }
  return 0;
}

// The answer: one message, then the trailers.

#define FIELD(name, value) {(uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, 0}

static ssize_t read_answer(nghttp2_session *session, int32_t stream, uint8_t *bytes, size_t capacity, uint32_t *flags,
                           nghttp2_data_source *source, void *user) {
  (void)source, (void)user;
  // A frame of gRPC around the message's field 1, the status.
  const uint8_t answer[] = {0, 0, 0, 0, 2, 1 << 3, (uint8_t)mood};
  if (capacity < sizeof answer) return NGHTTP2_ERR_CALLBACK_FAILURE;
  memcpy(bytes, answer, sizeof answer);
  nghttp2_nv trailers[] = {FIELD("grpc-status", "0")};
  if (nghttp2_submit_trailer(session, stream, trailers, 1) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
  *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
  return sizeof answer;
}

static int frame_received(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)user;
  if (frame->hd.stream_id == 0 || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) || mood == HANGING) return 0;
  nghttp2_nv headers[] = {FIELD(":status", "200"), FIELD("content-type", "application/grpc")};
  nghttp2_data_provider body = {.read_callback = read_answer};
  return nghttp2_submit_response(session, frame->hd.stream_id, headers, 2, &body);
}

static void serve(struct connection *connection) {
  nghttp2_session_callbacks *callbacks;
  nghttp2_session *session;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) return;
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_received);
  if (nghttp2_session_server_new(&session, callbacks, NULL) != 0) return;
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0);

  uint8_t bytes[4096];
  ssize_t count = 0;
  do {
    const uint8_t *out;
    if (nghttp2_session_mem_recv(session, bytes, (size_t)count) < 0) return;
    while ((count = nghttp2_session_mem_send(session, &out)) > 0)
      if (send_all(connection, out, (size_t)count) != 0) return;
  } while (nghttp2_session_want_read(session) && (count = receive(connection, bytes, sizeof bytes)) > 0);
}

// The listener.

static int listen_on(const char *address) {
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
  int is_path = strncmp(address, "unix:", 5) == 0;
  if (is_path)
    snprintf(path.sun_path, sizeof path.sun_path, "%s", address + 5);
  else
    port.sin_port = htons((uint16_t)atoi(address));
  int listener = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
  const struct sockaddr *name = is_path ? (struct sockaddr *)&path : (struct sockaddr *)&port;
  if (listener < 0 || bind(listener, name, is_path ? sizeof path : sizeof port) != 0) fail(address);
  // The probe may run as another user.
  if (is_path && chmod(path.sun_path, 0777) != 0) fail(address);
  if (listen(listener, 16) != 0) fail(address);
  return listener;
}

static int choose_h2(SSL *tls, const unsigned char **out, unsigned char *length, const unsigned char *in,
                     unsigned int in_length, void *user) {
  (void)tls, (void)user;
  int chosen = SSL_select_next_proto((unsigned char **)out, length, (const unsigned char *)"\x02h2", 3, in, in_length);
  return chosen == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *tls_context(const char *certificate, const char *key) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (!context || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
    fail(certificate);
  SSL_CTX_set_alpn_select_cb(context, choose_h2, NULL);
  return context;
}

int main(int count, char **arguments) {
  if (count != 3 && count != 5) {
    fputs("usage: container_server serving|not-serving|hanging PORT|unix:PATH [CERTIFICATE KEY]\n", stderr);
    return 2;
  }
  mood = !strcmp(arguments[1], "serving") ? SERVING : !strcmp(arguments[1], "hanging") ? HANGING : NOT_SERVING;
  SSL_CTX *context = count == 5 ? tls_context(arguments[3], arguments[4]) : NULL;

  // The first process of a container has no default actions: what is not handled here does not reach it.
  const struct sigaction handler = {.sa_handler = change_mood, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &handler, NULL);
  sigaction(SIGUSR2, &handler, NULL);
  sigaction(SIGTERM, &handler, NULL);
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);

  int listener = listen_on(arguments[2]);
  for (;;) {
    struct connection connection = {.socket = accept(listener, NULL, NULL)};
    if (connection.socket < 0) continue;
    if (fork() == 0) {
      close(listener);
      if (context) {
        connection.tls = SSL_new(context);
        if (!connection.tls || SSL_set_fd(connection.tls, connection.socket) != 1 || SSL_accept(connection.tls) != 1)
          return 1;
      }
      serve(&connection);
      return 0;
    }
    close(connection.socket);
  }
}
