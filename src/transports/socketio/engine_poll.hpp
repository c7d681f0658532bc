// EnginePollConnection: a GET of Engine.IO that waits for something to be said.
//
// Path:     HttpConnection → [EnginePollConnection] → HttpConnection; EngineSession →
//           [EnginePollConnection]
// Runs on:  its shard.
// Owned by: itself, by reference count: one reference while it is listed by its Gate, one for each
//           wait and each deferred step under way.
// Bounds:   time: the session's heartbeat. In: http.header_bytes of what is pipelined behind the
//           request; the rest waits in the kernel.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <string>

#include "transports/any_stream.hpp"
#include "transports/connection.hpp"
#include "transports/http_connection.hpp"
#include "transports/socketio/engine_polling.hpp"
#include "transports/socketio/engine_session.hpp"

namespace parley::transports {

class Gate;

// Takes over a stream whose request was read, and gives it back with the answer (resume_http()).
// `hop` is at its other end; `kept` has no answer yet. The session has nothing to say (poll()).
void open_engine_poll(Gate& gate, AnyStream stream, const boost::asio::ip::tcp::endpoint& hop,
                      EngineSession& session, HttpResumption kept);

// Thousands of these wait at a time: no coroutine, whose frames would cost more than the rest.
template <typename Stream>
class EnginePollConnection final : public EnginePoll, public Connection {
public:
    using Pointer = boost::intrusive_ptr<EnginePollConnection>;

    EnginePollConnection(Gate& gate, Stream stream, const boost::asio::ip::tcp::endpoint& hop,
                         EngineSession& session, HttpResumption kept);

    void open();

    // EnginePoll
    void finish_soon() noexcept override;
    void finish() override;

    // Connection. The session tells its own goodbyes.
    bool announce_drain() noexcept override { return false; }
    void close(const core::CloseReason& reason) noexcept override { session_->close(reason); }
    void abort() noexcept override;
    void after_turn() noexcept override;

    friend void intrusive_ptr_add_ref(EnginePollConnection* connection) noexcept {
        ++connection->references_;
    }
    friend void intrusive_ptr_release(EnginePollConnection* connection) noexcept {
        if (--connection->references_ == 0) delete connection;
    }

private:
    enum class Stage : std::uint8_t {
        waiting,
        due,  // finish() is on its way
        ended,
    };

    ~EnginePollConnection() override = default;

    void wait_readable();
    void on_readable();
    void lost() noexcept;

    Gate* gate_;
    Stream stream_;
    EngineSession::Pointer session_;
    boost::asio::ip::tcp::endpoint hop_;
    HttpResumption kept_;
    std::uint32_t references_ = 0;
    Stage stage_ = Stage::waiting;
    bool aborted_ = false;
};

}  // namespace parley::transports
