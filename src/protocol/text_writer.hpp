// TextWriter: appends to a string what a hot encoder writes piece by piece. std::string::append() is a
// call into the library for each piece; here one that fits is a comparison and the bytes themselves.
//
// Path:     json_server_frames, rest_codec, http_response → [TextWriter] → text
// Runs on:  any thread.
// Owned by: the function that encodes; the string is not to be touched while it lives.
// Bounds:   none of its own; the string grows as it has to.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::protocol {

class TextWriter {
public:
    // `expected` is what the text comes to: nothing is moved until it is more.
    TextWriter(std::string& out, std::size_t expected) : out_(out), at_(out.size()) {
        out_.reserve(at_ + expected);
        out_.resize(at_ + std::min(expected, cleared_at_once));
    }
    ~TextWriter() { out_.resize(at_); }
    TextWriter(const TextWriter&) = delete;
    TextWriter& operator=(const TextWriter&) = delete;

    void push_back(char c) {
        make_room(1);
        out_[at_++] = c;
    }
    TextWriter& append(std::string_view text) {
        if (out_.size() - at_ >= text.size()) {
            at_ += text.copy(out_.data() + at_, text.size());
        } else {
            append_long(text);
        }
        return *this;
    }
    TextWriter& operator+=(std::string_view text) { return append(text); }
    void append_decimal(std::uint64_t value) {
        constexpr std::size_t digits_max = 20;
        make_room(digits_max);
        char* const begin = out_.data() + at_;
        char* const end = std::to_chars(begin, begin + digits_max, value).ptr;
        at_ += static_cast<std::size_t>(end - begin);
    }

private:
    // What is written into has been cleared before: of a long text that would be a pass of its own.
    static constexpr std::size_t cleared_at_once = 512;

    void make_room(std::size_t bytes) {
        if (out_.size() - at_ < bytes) [[unlikely]]
            grow();
    }
    [[gnu::noinline]] void grow() { out_.resize(at_ + cleared_at_once); }
    [[gnu::noinline]] void append_long(std::string_view text) {
        out_.resize(at_);
        at_ = out_.append(text).size();
    }

    std::string& out_;
    std::size_t at_;  // where the text ends so far
};

inline void append_decimal(TextWriter& out, std::uint64_t value) {
    out.append_decimal(value);
}

}  // namespace parley::protocol
