// HttpParser: bytes to one request. Beast takes a head apart once HttpHeadCheck has found it to be
// one to the letter; what is then left to be judged of its fields is judged here.
//
// Path:     HttpConnection → [HttpParser] → HttpRequest
// Runs on:  its shard; no socket, no clock.
// Owned by: HttpConnection.
// Bounds:   HttpLimits. Between two requests it holds nothing.
#pragma once

#include <array>
#include <boost/beast/http/parser.hpp>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "protocol/http_chunk_decoder.hpp"
#include "protocol/http_head_check.hpp"
#include "transports/frontend.hpp"

namespace parley::transports {

// How a request's body is taken.
struct HttpBodyRule {
    std::size_t bytes = 64 * 1024;  // at most
    bool streams = false;           // handed on as it comes, without a bound here
};

struct HttpLimits {
    protocol::HttpHeadLimits head;  // also for the fields behind a body in chunks
    HttpBodyRule body{};
    // Where set, asked instead of it, once for each head that is whole and before its fields are
    // judged; `asked` is handed back.
    HttpBodyRule (*body_of)(void* asked, const HttpRequest& request) = nullptr;
    void* asked = nullptr;
};

class HttpParser {
public:
    enum class Status {
        need_more,
        complete,
        refused,
        streams,  // once, behind the head of a request whose body is handed on
    };
    // The status and the detail of a refusal.
    struct Refusal {
        unsigned status;
        std::string detail;
    };

    explicit HttpParser(const HttpLimits& limits) noexcept : limits_(limits) {}

    // Takes bytes off the front of `bytes`; what it leaves is to be offered again, together with
    // what comes next. After complete the rest belongs to the next request.
    [[nodiscard]] Status feed(std::span<char>& bytes);

    // The request, an empty one before its head is whole.
    [[nodiscard]] const HttpRequest& request() const noexcept;
    [[nodiscard]] const Refusal& refusal() const noexcept { return refusal_; }
    // What came of a body that is handed on, and was not taken yet: no more than was fed.
    [[nodiscard]] std::string take_body() noexcept;
    [[nodiscard]] bool keep_alive() const { return parsed_ && parsed_->parser.keep_alive(); }
    // True once any byte of the request has come.
    [[nodiscard]] bool begun() const noexcept { return begun_; }
    [[nodiscard]] bool head_done() const noexcept { return part_ != Part::head; }
    // True once: the client waits for `100 Continue` before it sends the body.
    [[nodiscard]] bool take_expect_continue();
    // Ready for the next request.
    void reset() noexcept;

private:
    using Parser =
        boost::beast::http::request_parser<boost::beast::http::string_body, RequestAllocator>;
    // A request and its fields in one piece of memory, where they are as few as an API client's.
    struct Parsed {
        std::array<std::byte, 512> room;
        std::pmr::monotonic_buffer_resource arena{room.data(), room.size()};
        Parser parser{std::piecewise_construct, std::make_tuple(),
                      std::make_tuple(RequestAllocator(&arena))};
    };
    enum class Part : std::uint8_t { head, sized_body, streamed_body, chunks, trailer, end };
    struct JudgedFields;

    // Only where parsed_ is.
    [[nodiscard]] Parser& parser() noexcept { return parsed_->parser; }
    Status refuse(unsigned status, std::string detail);
    Status take_head(std::span<char>& bytes);
    Status take_sized_body(std::span<char>& bytes);
    Status take_streamed_body(std::span<char>& bytes);
    Status take_chunks(std::span<char>& bytes);
    Status take_trailer(std::span<char>& bytes);
    // What may be judged once the head is whole.
    Status judge_head();
    Status judge_length();
    Status judge_framing(const JudgedFields& fields);
    Status judge_target();

    HttpLimits limits_;
    std::unique_ptr<Parsed> parsed_;  // from the head's end on
    Refusal refusal_{};
    protocol::HttpHeadCheck check_;
    protocol::HttpChunkDecoder chunks_;
    HttpBodyRule body_{};      // of the request at hand
    std::size_t checked_ = 0;  // bytes of the head that were looked at and are offered again
    Part part_ = Part::head;
    std::uint64_t streamed_left_ = 0;  // of a body that is handed on and not in chunks
    bool begun_ = false;
    bool expects_continue_ = false;
};

// The parts of a request's target: origin-form, or absolute-form with its scheme and authority
// taken off (RFC 9112, 3.2). The path is empty for any other form.
[[nodiscard]] HttpTarget split_target(std::string_view target) noexcept;

}  // namespace parley::transports
