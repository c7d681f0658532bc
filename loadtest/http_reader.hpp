// HttpReader: one answer after another of an HTTP/1.1 connection, client role (RFC 9112), parsed by
// Beast; sans-I/O.
//
// Path:     Client → [HttpReader] → the HTTP dialogues
// Runs on:  one load thread.
// Owned by: a dialogue. Between answers it holds no memory but itself.
// Bounds:   a head of head_bytes_max; body_bytes_max undrained bytes of a body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace parley::load {

class HttpReader {
public:
    static constexpr std::uint32_t head_bytes_max = 16384;
    static constexpr std::size_t body_bytes_max = std::size_t{16} << 20;

    enum class Event : std::uint8_t {
        need_more,  // everything was taken
        complete,   // the answer is whole; the next feed() begins the next one
        failed,     // error() says why; the connection is of no use any more
    };
    struct Step {
        Event event;
        std::size_t consumed;
    };

    HttpReader();
    ~HttpReader();
    HttpReader(const HttpReader&) = delete;
    HttpReader& operator=(const HttpReader&) = delete;

    // Takes bytes up to the end of the answer at hand.
    [[nodiscard]] Step feed(std::string_view bytes);
    // Forgets everything: a fresh connection.
    void reset();

    // An answer has begun and is not whole.
    [[nodiscard]] bool mid_answer() const noexcept;
    // Of the answer at hand or the one just completed; 0 before its head is whole.
    [[nodiscard]] unsigned status() const noexcept { return status_; }
    // The server closes the connection behind this answer.
    [[nodiscard]] bool closes() const noexcept { return closes_; }
    // What has come of the body, chunks put together, since drop_body().
    [[nodiscard]] std::string_view body() const noexcept { return body_; }
    // Gives the body's memory back where it is more than a few answers' worth.
    void drop_body();
    [[nodiscard]] const std::string& error() const noexcept { return error_; }

private:
    class Parser;

    void begin();
    [[nodiscard]] Step take(std::string_view bytes);

    std::unique_ptr<Parser> parser_;  // while an answer is incomplete
    std::string kept_;                // what Beast wants to see again: part of a head or a chunk's
    std::string body_;
    std::string error_;
    unsigned status_ = 0;
    bool closes_ = false;
};

// Appends a request without a body.
struct HttpRequest {
    std::string_view host;
    std::string_view name;  // of the user; empty: none told
    std::string_view accept = "application/json";
    std::string_view content_type = "application/json";  // of a POST
};
void append_get(std::string& out, std::string_view path, const HttpRequest& request);
// Appends a POST.
void append_post(std::string& out, std::string_view path, std::string_view body,
                 const HttpRequest& request);

}  // namespace parley::load
