// file_answers: files as HTTP tells of them: what was uploaded, lists, the headers of a download.
//
// Path:     FilesFrontend, UploadSink → [file_answers] → HttpConnection
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   a list as long as its page.
#pragma once

#include <string>
#include <string_view>

#include "core/file_store.hpp"
#include "protocol/byte_range.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

inline constexpr std::string_view files_path = "/api/v1/files/";

// What keeps a browser from ever taking a file for a part of this site.
inline constexpr std::string_view file_security_policy = "sandbox; default-src 'none'";

// The problem with its status; with Retry-After where it may pass.
[[nodiscard]] HttpResponse answer_file_problem(const core::FileProblem& problem);
// 201 with `{"file":{…}}` and where it is.
[[nodiscard]] HttpResponse answer_uploaded(const core::FileInfo& info);
// 200 with `{"room":…,"files":[…]}` and `next` where there are more.
[[nodiscard]] HttpResponse answer_file_list(std::string_view room, const core::FileList& list);

// A strong tag: the hash, in quotes.
[[nodiscard]] std::string file_etag(const core::FileInfo& info);

// What a request asks of a file beside its name.
struct DownloadAsk {
    std::string if_none_match;
    std::string range;  // empty for HEAD
    std::string if_range;
};
// An answer without its body: 200, 206 with the part that `range` is set to, 304 or 416.
[[nodiscard]] HttpResponse answer_download(const core::FileInfo& info, const DownloadAsk& ask,
                                           protocol::ByteRange& range);

}  // namespace parley::transports
