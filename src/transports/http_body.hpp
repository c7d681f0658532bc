// Bodies that are not held whole: a request's on its way to whoever takes it (BodySink), an answer's
// on its way from whoever has it (BodySource).
//
// Path:     HttpConnection → [BodySink] → a frontend's; a frontend's → [BodySource] → HttpConnection
// Runs on:  their connection's shard.
// Owned by: HttpConnection while it reads or writes; a frontend's callbacks hold them weakly.
// Bounds:   a sink is handed one read of the connection at a time, and none while it is behind; a
//           source gives one chunk at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "transports/http_response.hpp"
#include "transports/wait_point.hpp"

namespace parley::transports {

class BodySink {
public:
    explicit BodySink(Executor executor) noexcept : waiting_(executor) {}
    virtual ~BodySink() = default;
    BodySink(const BodySink&) = delete;
    BodySink& operator=(const BodySink&) = delete;

    // The bytes that came next, decoded. Not while it is behind.
    virtual void take(std::string&& bytes) = 0;
    // The body is whole: the answer comes now or later. Without this call it never will be.
    virtual void end() = 0;

    // ---- for the connection

    // It has not done with what it was handed: the connection is not read.
    [[nodiscard]] bool behind() const noexcept { return behind_; }
    [[nodiscard]] bool answered() const noexcept { return answer_ != nullptr; }
    // The answer, where there is one; it may come before the body's end, of which no more is read
    // then.
    [[nodiscard]] std::unique_ptr<HttpResponse> take_answer() noexcept {
        return std::move(answer_);
    }
    [[nodiscard]] WaitPoint& waiting() noexcept { return waiting_; }
    // Called with the answer, for a connection that waits for more of the body.
    void when_answered(std::function<void()> task) { when_answered_ = std::move(task); }

protected:
    void set_behind(bool behind) {
        behind_ = behind;
        if (!behind) waiting_.wake();
    }
    // The first counts.
    void answer(HttpResponse&& response) {
        if (!answer_) answer_ = std::make_unique<HttpResponse>(std::move(response));
        waiting_.wake();
        if (when_answered_) when_answered_();
    }

private:
    WaitPoint waiting_;
    std::unique_ptr<HttpResponse> answer_;
    std::function<void()> when_answered_;
    bool behind_ = false;
};

class BodySource {
public:
    BodySource(Executor executor, std::uint64_t length) noexcept
        : waiting_(executor), length_(length) {}
    virtual ~BodySource() = default;
    BodySource(const BodySource&) = delete;
    BodySource& operator=(const BodySource&) = delete;

    // All of it, from the first call of ask() on.
    [[nodiscard]] std::uint64_t length() const noexcept { return length_; }
    // Has the next bytes brought here; once for each time that they were taken.
    virtual void ask() = 0;

    // ---- for the connection

    [[nodiscard]] bool ready() const noexcept { return bytes_.has_value(); }
    // What was brought; empty where nothing can be any more.
    [[nodiscard]] std::string take() noexcept {
        std::string bytes = std::move(*bytes_);
        bytes_.reset();
        return bytes;
    }
    [[nodiscard]] WaitPoint& waiting() noexcept { return waiting_; }

protected:
    void bring(std::string&& bytes) {
        bytes_ = std::move(bytes);
        waiting_.wake();
    }

private:
    WaitPoint waiting_;
    std::uint64_t length_;
    std::optional<std::string> bytes_;
};

}  // namespace parley::transports
