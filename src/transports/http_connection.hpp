// HttpConnection: HTTP/1.1 over one stream, request by request, until it ends or a frontend takes
// the stream over (RFC 9112).
//
// Path:     Gate → [HttpConnection] → Frontend
// Runs on:  its shard, as one coroutine.
// Owned by: its coroutine's frame.
// Bounds:   http.header_bytes, .target_bytes, .body_bytes and the http time-outs; one request at a
//           time, what was pipelined behind it waits in the kernel or in the rest of one read.
//           Between two requests it holds no parser and no buffer.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "transports/admission.hpp"
#include "transports/executor.hpp"
#include "transports/frontend.hpp"
#include "transports/http_response.hpp"
#include "transports/tcp_stream.hpp"

namespace parley::transports {

class Gate;

// Serves the connection to its end. `peer` is who is at the other end of the stream, or who a PROXY
// header says. But for `none`, its one request is refused with 503. The gate outlives the coroutine.
// Instantiated for every stream in http_connection.cpp.
template <typename Stream>
Awaitable<void> serve_http(Gate& gate, Stream stream, boost::asio::ip::tcp::endpoint peer,
                           AdmissionRefusal refusal);

// How a connection goes on that a frontend had taken over and gives back.
struct HttpResumption {
    // The request that comes first, as it would have come. With an answer: without its body, and of
    // its headers those that an answer depends on (kept_head() makes it).
    std::string request;
    std::optional<HttpResponse> answer;  // none: a frontend of this gate is asked for it
    std::string following;               // bytes that came behind it
};

// Answers that request, or has it answered, and serves the connection to its end; `peer` is its
// Exchange::hop. From the loop or a timer, not from within a call of the core.
template <typename Stream>
void resume_http(Gate& gate, Stream stream, const boost::asio::ip::tcp::endpoint& peer,
                 HttpResumption kept);

// Logs why the coroutine that serves a connection has failed, where it has.
void log_failed_connection(const std::exception_ptr& failure);

// What of a request's head must be kept so that it can be answered later.
[[nodiscard]] std::string kept_head(const HttpRequest& request, std::string_view path);

}  // namespace parley::transports
