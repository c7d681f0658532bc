#include "conformance/engineio_echo.hpp"

namespace parley::conformance {
namespace {

using transports::EngineHandler;
using transports::EngineLink;
using transports::MessageKind;

class EngineEcho final : public EngineHandler {
public:
    void on_open(EngineLink& link) override { link_ = &link; }
    void on_message(MessageKind kind, std::string_view payload) override {
        link_->send(kind, payload);
    }
    bool ready() const noexcept override { return true; }
    void on_writable() override {}
    void on_writer_changed() override {}
    void on_drain() override {}
    void on_closed(const core::CloseReason&) noexcept override {}

private:
    EngineLink* link_ = nullptr;
};

class EngineEchoes final : public transports::EngineApplication {
public:
    std::unique_ptr<EngineHandler> open(const transports::EngineOpening&) override {
        return std::make_unique<EngineEcho>();
    }
};

}  // namespace

std::unique_ptr<transports::EngineApplication> make_engineio_echo() {
    return std::make_unique<EngineEchoes>();
}

}  // namespace parley::conformance
