// content_disposition: the name of a file as HTTP carries it, both ways (RFC 6266, 8187, 7578), and
// what is left of a name that somebody else has chosen.
//
// Path:     UploadSink → [content_disposition] ← FilesFrontend
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   file_name_bytes_max; a header comes bounded by http.header_bytes or the decoder's own.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace parley::protocol {

struct ContentDisposition {
    std::string type;                     // "attachment", "form-data", in lower case
    std::optional<std::string> name;      // of a form's field
    std::optional<std::string> filename;  // `filename*` before `filename`; as it was sent
};

// Reads a Content-Disposition header; nothing where it is none. Unknown parameters are passed over.
[[nodiscard]] std::optional<ContentDisposition> parse_content_disposition(std::string_view header);

inline constexpr std::size_t kept_file_name_bytes_max = 128;

// The name to keep of one that was sent: no folders, no control or direction-turning characters, no
// dots and blanks around it, valid UTF-8, kept_file_name_bytes_max at most with its ending left on;
// "file" where nothing remains. It is only ever told, never used as a path.
[[nodiscard]] std::string clean_file_name(std::string_view sent);

// Appends the header's value: `attachment; filename="a.txt"`, with filename* where the name is not
// plain ASCII. `name` is one that clean_file_name() gave.
void append_content_disposition(std::string& out, bool shown_inline, std::string_view name);

}  // namespace parley::protocol
