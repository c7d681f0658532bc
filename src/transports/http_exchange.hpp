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

#include "core/accounts.hpp"
#include "transports/admission.hpp"
#include "transports/frontend.hpp"
#include "transports/http_parse.hpp"

namespace parley::transports {

class Gate;

// Where a request goes, found once, when its head is whole.
struct Destination {
    HttpTarget target{};           // of the request itself: valid as long as that is
    Frontend* frontend = nullptr;  // null: nobody's
};
[[nodiscard]] Destination destination_of(const Gate& gate, const HttpRequest& request);

// An answer; or one that comes later; or neither, and the stream was taken over.
struct HttpOutcome {
    std::optional<HttpResponse> response;
    std::shared_ptr<LaterAnswer> later;
};

// Who makes a request, while somebody else is asked: given an empty answer once that is known.
struct LaterIdentity final : LaterAnswer {
    using LaterAnswer::LaterAnswer;
    std::optional<core::Identified> known{};
};

// What can be said of who makes a request before its frontend is asked: who it is, an answer instead,
// or a question under way.
struct IdentityOutcome {
    Identity identity{};
    std::optional<HttpResponse> refusal{};
    std::shared_ptr<LaterIdentity> later{};
};
// True where the request shows anything to know somebody by.
[[nodiscard]] bool shows_token(const Gate& gate, const HttpRequest& request);
// Finding out who that is takes from the rate of the address, known or not.
[[nodiscard]] IdentityOutcome ask_identity(Gate& gate, const HttpRequest& request,
                                           const Destination& to,
                                           const boost::asio::ip::tcp::endpoint& hop,
                                           const AnyStream& stream);
// Takes the answer in: of who was refused for the moment only, the request is refused.
void take_identity(IdentityOutcome& outcome, const core::Identified& answer);

// Asks the frontend whose request it is. A frontend that fails is answered for with 500.
[[nodiscard]] HttpOutcome ask_frontend(Gate& gate, const HttpRequest& request,
                                       const Destination& to,
                                       const boost::asio::ip::tcp::endpoint& hop, AnyStream& stream,
                                       std::span<char> following, Identity identity = {});

// How that frontend has the request's body taken.
[[nodiscard]] HttpBodyRule body_rule(const Gate& gate, const HttpRequest& request,
                                     const Destination& to);

// ask_frontend() for a request whose body is handed on: who takes it, or the answer without it.
[[nodiscard]] BodyIntake ask_receiver(Gate& gate, const HttpRequest& request, const Destination& to,
                                      const boost::asio::ip::tcp::endpoint& hop, AnyStream& stream,
                                      Identity identity);

// The one answer that a connection gets which is not let in: 503 with the reason, but that probes
// are told how the server is.
[[nodiscard]] HttpOutcome refuse_newcomer(Gate& gate, AdmissionRefusal refusal,
                                          const HttpRequest& request, const Destination& to,
                                          const boost::asio::ip::tcp::endpoint& hop,
                                          AnyStream& stream);

// CORS headers, compression, and the counts.
void complete_answer(Gate& gate, const HttpRequest& request, const Destination& to,
                     HttpResponse& response);

}  // namespace parley::transports
