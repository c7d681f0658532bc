// UploadSink: a request's body as a file on its way in: the body itself, or the one file of a form.
//
// Path:     HttpConnection → [UploadSink] → FileUpload
// Runs on:  its connection's shard.
// Owned by: HttpConnection; the store's callbacks hold it weakly.
// Bounds:   window_bytes that the store has not written yet; then it is behind, by one read of the
//           connection more.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/file_store.hpp"
#include "core/shard.hpp"
#include "protocol/multipart.hpp"
#include "transports/http_body.hpp"
#include "transports/rest/rest_calls.hpp"

namespace parley::transports {

// Of a form, beside the file: its boundaries, heads and other fields.
inline constexpr std::size_t form_bytes_max = 64 * 1024;

class UploadSink final : public BodySink, public std::enable_shared_from_this<UploadSink> {
public:
    static constexpr std::size_t window_bytes = 256 * 1024;

    // `headers` are those of its answer, whatever that is.
    UploadSink(core::Shard& shard, Executor executor, core::FileStore& store,
               HttpHeaders&& headers);

    // Nothing is taken until it is known whether they may: then `begin` is called, or the error
    // answered. To be called before anything is begun.
    void await_leave(std::function<void(UploadSink& sink)> begin);
    void give_leave(const std::optional<protocol::Error>& refused);
    // The body is the file.
    void begin_file(core::NewFile file);
    // The body is a form: its one file is `file`, under the name and of the type that the form has.
    void begin_form(core::NewFile file, std::string_view boundary);

    void take(std::string&& bytes) override;
    void end() override;

private:
    [[nodiscard]] core::FileUploadEvents events();
    void note_taken(std::size_t bytes);
    void give(HttpResponse&& response);
    void refuse(const core::FileProblem& problem);
    void write(std::string&& bytes);
    void take_form(std::string_view bytes);
    void take_step(const protocol::MultipartDecoder::Step& step);
    void begin_part();
    void write_gathered();

    std::function<void(UploadSink& sink)> begin_;  // until it has leave to
    core::Shard* shard_;
    core::FileStore* store_;
    HttpHeaders headers_;
    core::NewFile file_;
    std::optional<protocol::MultipartDecoder> form_;
    std::size_t around_file_ = 0;  // bytes of a form that are not the file's
    bool in_file_ = false;         // of the form
    bool had_file_ = false;        // the form
    std::string gathered_;         // of the file, within one take()
    std::unique_ptr<core::FileUpload> upload_;
    bool let_in_ = true;         // the store has looked at what is known ahead
    std::size_t under_way_ = 0;  // bytes that the store has not written
};

}  // namespace parley::transports
