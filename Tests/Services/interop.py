# SPDX-License-Identifier: Apache-2.0
"""The public interoperability test cases as a grpcio client runs them, and as a grpcio server answers them."""

from __future__ import annotations

import queue
import threading

import grpc
import pytest
from grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc  # ours: see conftest.py

LARGE_REQUEST = 271_828
LARGE_RESPONSE = 314_159
REQUEST_SIZES = [27_182, 8, 1_828, 45_904]
RESPONSE_SIZES = [31_415, 9, 2_653, 58_979]

INITIAL = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
TRAILING = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")


def payload(size: int) -> messages_pb2.Payload:
    return messages_pb2.Payload(body=bytes(size))


def output_request(sizes, **fields) -> messages_pb2.StreamingOutputCallRequest:
    parameters = [messages_pb2.ResponseParameters(size=size) for size in sizes]
    return messages_pb2.StreamingOutputCallRequest(response_parameters=parameters, **fields)


def sizes(responses) -> list[int]:
    return [len(response.payload.body) for response in responses]


def empty_unary(stub):
    assert stub.EmptyCall(empty_pb2.Empty(), timeout=10) == empty_pb2.Empty()


def large_unary(stub):
    request = messages_pb2.SimpleRequest(response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST))
    assert stub.UnaryCall(request, timeout=10).payload == payload(LARGE_RESPONSE)


def client_compressed_unary(stub):
    request = messages_pb2.SimpleRequest(
        expect_compressed=messages_pb2.BoolValue(value=True),
        response_size=LARGE_RESPONSE,
        payload=payload(LARGE_REQUEST),
    )
    with pytest.raises(grpc.RpcError) as error:
        stub.UnaryCall(request, timeout=10)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    response = stub.UnaryCall(request, timeout=10, compression=grpc.Compression.Gzip)
    assert len(response.payload.body) == LARGE_RESPONSE
    request.expect_compressed.value = False
    assert len(stub.UnaryCall(request, timeout=10).payload.body) == LARGE_RESPONSE


def server_compressed_unary(stub):
    for wanted in (True, False):
        request = messages_pb2.SimpleRequest(
            response_compressed=messages_pb2.BoolValue(value=wanted),
            response_size=LARGE_RESPONSE,
            payload=payload(LARGE_REQUEST),
        )
        response, call = stub.UnaryCall.with_call(request, timeout=10)
        assert response.payload == payload(LARGE_RESPONSE)


def client_streaming(stub):
    requests = (messages_pb2.StreamingInputCallRequest(payload=payload(size)) for size in REQUEST_SIZES)
    assert stub.StreamingInputCall(requests, timeout=10).aggregated_payload_size == sum(REQUEST_SIZES)


def client_compressed_streaming(stub):
    request = messages_pb2.StreamingInputCallRequest(
        expect_compressed=messages_pb2.BoolValue(value=True), payload=payload(27_182)
    )
    with pytest.raises(grpc.RpcError) as error:
        stub.StreamingInputCall(iter([request]), timeout=10)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    response = stub.StreamingInputCall(iter([request, request]), timeout=10, compression=grpc.Compression.Gzip)
    assert response.aggregated_payload_size == 2 * 27_182


def server_streaming(stub):
    assert sizes(stub.StreamingOutputCall(output_request(RESPONSE_SIZES), timeout=10)) == RESPONSE_SIZES


def server_compressed_streaming(stub):
    parameters = [
        messages_pb2.ResponseParameters(size=31_415, compressed=messages_pb2.BoolValue(value=True)),
        messages_pb2.ResponseParameters(size=92_653, compressed=messages_pb2.BoolValue(value=False)),
    ]
    request = messages_pb2.StreamingOutputCallRequest(response_parameters=parameters)
    assert sizes(stub.StreamingOutputCall(request, timeout=10)) == [31_415, 92_653]


def ping_pong(stub):
    # The iterator runs on a thread of its own, so that it can wait for answers.
    questions: queue.Queue = queue.Queue()
    call = stub.FullDuplexCall(iter(questions.get, None), timeout=10)
    for request, response in zip(REQUEST_SIZES, RESPONSE_SIZES):
        questions.put(output_request([response], payload=payload(request)))
        assert len(next(call).payload.body) == response
    questions.put(None)
    assert list(call) == []
    assert call.code() == grpc.StatusCode.OK


def half_duplex(stub):
    requests = iter([output_request([size]) for size in RESPONSE_SIZES])
    assert sizes(stub.HalfDuplexCall(requests, timeout=10)) == RESPONSE_SIZES


def empty_stream(stub):
    call = stub.FullDuplexCall(iter([]), timeout=10)
    assert list(call) == []
    assert call.code() == grpc.StatusCode.OK


def custom_metadata(stub):
    request = messages_pb2.SimpleRequest(response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST))
    _, call = stub.UnaryCall.with_call(request, timeout=10, metadata=[INITIAL, TRAILING])
    assert INITIAL in [tuple(entry) for entry in call.initial_metadata()]
    assert TRAILING in [tuple(entry) for entry in call.trailing_metadata()]
    call = stub.FullDuplexCall(iter([output_request([LARGE_RESPONSE])]), timeout=10, metadata=[INITIAL, TRAILING])
    assert sizes(call) == [LARGE_RESPONSE]
    assert INITIAL in [tuple(entry) for entry in call.initial_metadata()]
    assert TRAILING in [tuple(entry) for entry in call.trailing_metadata()]


def status_code_and_message(stub, message="test status message"):
    status = messages_pb2.EchoStatus(code=2, message=message)
    with pytest.raises(grpc.RpcError) as error:
        stub.UnaryCall(messages_pb2.SimpleRequest(response_status=status), timeout=10)
    assert (error.value.code(), error.value.details()) == (grpc.StatusCode.UNKNOWN, message)
    call = stub.FullDuplexCall(iter([output_request([], response_status=status)]), timeout=10)
    with pytest.raises(grpc.RpcError) as error:
        list(call)
    assert (error.value.code(), error.value.details()) == (grpc.StatusCode.UNKNOWN, message)


def special_status_message(stub):
    status_code_and_message(stub, "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n")


def unimplemented_method(stub):
    with pytest.raises(grpc.RpcError) as error:
        stub.UnimplementedCall(empty_pb2.Empty(), timeout=10)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def cancel_after_begin(stub):
    hold = threading.Event()
    call = stub.StreamingInputCall.future((hold.wait() and None for _ in range(1)), timeout=10)
    call.cancel()
    assert call.code() == grpc.StatusCode.CANCELLED
    hold.set()


def cancel_after_first_response(stub):
    questions: queue.Queue = queue.Queue()
    call = stub.FullDuplexCall(iter(questions.get, None), timeout=10)
    questions.put(output_request([31_415], payload=payload(27_182)))
    assert len(next(call).payload.body) == 31_415
    call.cancel()
    with pytest.raises(grpc.RpcError) as error:
        next(call)
    assert error.value.code() == grpc.StatusCode.CANCELLED
    questions.put(None)


def timeout_on_sleeping_server(stub):
    questions: queue.Queue = queue.Queue()
    questions.put(output_request([], payload=payload(27_182)))
    call = stub.FullDuplexCall(iter(questions.get, None), timeout=0.05)
    with pytest.raises(grpc.RpcError) as error:
        list(call)
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    questions.put(None)


CASES = [
    empty_unary, large_unary, client_compressed_unary, server_compressed_unary, client_streaming,
    client_compressed_streaming, server_streaming, server_compressed_streaming, ping_pong, half_duplex, empty_stream,
    custom_metadata, status_code_and_message, special_status_message, unimplemented_method, cancel_after_begin,
    cancel_after_first_response, timeout_on_sleeping_server,
]  # fmt: skip


def unimplemented_service(channel):
    with pytest.raises(grpc.RpcError) as error:
        test_pb2_grpc.UnimplementedServiceStub(channel).UnimplementedCall(empty_pb2.Empty(), timeout=10)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


class TestService(test_pb2_grpc.TestServiceServicer):
    """The service as grpcio serves it. It cannot tell whether a request came compressed."""

    __test__ = False  # no test class

    def EmptyCall(self, request, context):
        self._echo(context)
        return empty_pb2.Empty()

    def UnaryCall(self, request, context):
        self._echo(context)
        self._fail(request, context)
        self._compress(context, request.response_compressed.value)
        return messages_pb2.SimpleResponse(payload=payload(request.response_size))

    def StreamingOutputCall(self, request, context):
        self._echo(context)
        yield from self._responses(request, context)

    def StreamingInputCall(self, requests, context):
        self._echo(context)
        size = sum(len(request.payload.body) for request in requests)
        return messages_pb2.StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, requests, context):
        self._echo(context)
        for request in requests:
            yield from self._responses(request, context)

    def HalfDuplexCall(self, requests, context):
        self._echo(context)
        for request in list(requests):
            yield from self._responses(request, context)

    def _responses(self, request, context):
        self._fail(request, context)
        parameters = list(request.response_parameters)
        if any(each.compressed.value for each in parameters):
            self._compress(context, True)
        for each in parameters:
            if not each.compressed.value:
                context.disable_next_message_compression()
            yield messages_pb2.StreamingOutputCallResponse(payload=payload(each.size))

    @staticmethod
    def _compress(context, wanted: bool):
        context.set_compression(grpc.Compression.Gzip if wanted else grpc.Compression.NoCompression)

    @staticmethod
    def _fail(request, context):
        if request.response_status.code:
            codes = {code.value[0]: code for code in grpc.StatusCode}
            context.abort(codes[request.response_status.code], request.response_status.message)

    @staticmethod
    def _echo(context):
        received = dict(context.invocation_metadata())
        if INITIAL[0] in received:
            context.send_initial_metadata([(INITIAL[0], received[INITIAL[0]])])
        if TRAILING[0] in received:
            context.set_trailing_metadata([(TRAILING[0], received[TRAILING[0]])])
