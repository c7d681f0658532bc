// http_exchange: what one request comes to, whatever the stream: preflights and OPTIONS, the
// frontend whose it is, and what every answer is given on its way out.
//
// Path:     HttpConnection → [http_exchange] → Frontend
// Runs on:  its shard.
// Owned by: nobody.
// Bounds:   none of its own.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <span>

#include "transports/admission.hpp"
#include "transports/frontend.hpp"

namespace parley::transports {

class Gate;

// An answer; or one that comes later; or neither, and the stream was taken over.
struct HttpOutcome {
    std::optional<HttpResponse> response;
    std::shared_ptr<LaterAnswer> later;
};

// Asks the frontend whose request it is. A frontend that fails is answered for with 500.
[[nodiscard]] HttpOutcome ask_frontend(Gate& gate, const HttpRequest& request,
                                       const boost::asio::ip::tcp::endpoint& hop, AnyStream& stream,
                                       std::span<char> following);

// The same for a request whose body is handed on: who takes it, or the answer without it.
[[nodiscard]] bool streams_body(const Gate& gate, const HttpRequest& request);
[[nodiscard]] BodyIntake ask_receiver(Gate& gate, const HttpRequest& request,
                                      const boost::asio::ip::tcp::endpoint& hop, AnyStream& stream);

// The one answer that a connection gets which is not let in: 503 with the reason, but that probes
// are told how the server is.
[[nodiscard]] HttpOutcome refuse_newcomer(Gate& gate, AdmissionRefusal refusal,
                                          const HttpRequest& request,
                                          const boost::asio::ip::tcp::endpoint& hop,
                                          AnyStream& stream);

// CORS headers, compression, and the counts.
void complete_answer(Gate& gate, const HttpRequest& request, HttpResponse& response);

}  // namespace parley::transports
