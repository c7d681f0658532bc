#include "transports/files/file_answers.hpp"

#include <chrono>
#include <utility>

#include "core/clock.hpp"
#include "protocol/content_disposition.hpp"
#include "protocol/json_append.hpp"
#include "protocol/media_types.hpp"

namespace parley::transports {
namespace {

using core::FileInfo;
using core::FileRefusal;

// A disk that is full or broken takes longer to mend than an upload to end.
constexpr std::chrono::seconds retry_disk{30};
constexpr std::chrono::seconds retry_busy{2};

void append_file(std::string& out, const FileInfo& info) {
    const core::WallTime at{std::chrono::milliseconds(info.created_ms)};
    protocol::append_string(out, R"({"id":)", info.id);
    protocol::append_string(out, R"(,"room":)", info.room);
    protocol::append_string(out, R"(,"name":)", info.name);
    protocol::append_string(out, R"(,"type":)", info.type);
    protocol::append_number(out, R"(,"size":)", info.size);
    protocol::append_string(out, R"(,"sha256":)", info.sha256);
    protocol::append_string(out, R"(,"url":)", std::string(files_path) + info.id);
    protocol::append_string(out, R"(,"at":)", core::format_rfc3339(at));
    out.push_back('}');
}

// The table's constant of that type, for a header that outlives the answer's making.
std::string_view constant_type(std::string_view type) {
    return protocol::judge_media_type(type, type).type;
}

void add_download_headers(HttpResponse& response, const FileInfo& info) {
    auto& headers = response.headers;
    headers.emplace_back("ETag", file_etag(info));
    headers.emplace_back("Cache-Control", "private, max-age=31536000, immutable");
    headers.emplace_back("Accept-Ranges", "bytes");
    std::string disposition;
    protocol::append_content_disposition(disposition, protocol::is_shown_inline(info.type),
                                         info.name);
    headers.emplace_back("Content-Disposition", std::move(disposition));
    headers.emplace_back("X-Content-Type-Options", "nosniff");
    headers.emplace_back("Content-Security-Policy", file_security_policy);
    headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    headers.emplace_back("Referrer-Policy", "no-referrer");
}

}  // namespace

HttpResponse answer_file_problem(const core::FileProblem& problem_of) {
    const core::FileRefusalRow& row = core::row_of(problem_of.cause);
    const std::string_view text = problem_of.text.empty() ? row.text : problem_of.text;
    if (row.status == 429) return too_many_requests(retry_busy, text);
    if (row.status != 503) return problem(row.status, text);
    const bool lasting = row.value == FileRefusal::disk || row.value == FileRefusal::total;
    return unavailable(lasting ? retry_disk : retry_busy, text);
}

HttpResponse answer_uploaded(const FileInfo& info) {
    HttpResponse response = json_answer(201);
    response.body = R"({"file":)";
    append_file(response.body, info);
    response.body.push_back('}');
    response.headers.emplace_back("Location", std::string(files_path) + info.id);
    return response;
}

HttpResponse answer_file_list(std::string_view room, const core::FileList& list) {
    HttpResponse response = json_answer(200);
    std::string& body = response.body;
    protocol::append_string(body, R"({"room":)", room);
    body += R"(,"files":[)";
    for (const FileInfo& info : list.files) {
        if (body.back() != '[') body.push_back(',');
        append_file(body, info);
    }
    body.push_back(']');
    if (list.next) protocol::append_number(body, R"(,"next":)", *list.next);
    body.push_back('}');
    return response;
}

std::string file_etag(const FileInfo& info) {
    return '"' + info.sha256 + '"';
}

HttpResponse answer_download(const FileInfo& info, const DownloadAsk& ask,
                             protocol::ByteRange& range) {
    using Kind = protocol::ByteRange::Kind;
    const std::string etag = file_etag(info);
    range = {};
    // In this order (RFC 9110, 13.2.2): who has it already is asked for no part of it.
    const bool unchanged = protocol::none_match_names(ask.if_none_match, etag);
    if (!unchanged && protocol::if_range_holds(ask.if_range, etag)) {
        range = protocol::parse_byte_range(ask.range, info.size);
    }
    const std::string size = std::to_string(info.size);
    if (range.kind == Kind::unsatisfiable) {
        HttpResponse refusal = problem(416, "the file has " + size + " bytes");
        refusal.headers.emplace_back("Content-Range", "bytes */" + size);
        return refusal;
    }
    HttpResponse response;
    add_download_headers(response, info);
    if (unchanged) {
        response.status = 304;
        return response;
    }
    response.content_type = constant_type(info.type);
    if (response.content_type == "text/plain") {
        response.content_type = "text/plain; charset=utf-8";
    }
    if (range.kind == Kind::part) {
        response.status = 206;
        response.headers.emplace_back(
            "Content-Range",
            "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" + size);
    }
    return response;
}

}  // namespace parley::transports
