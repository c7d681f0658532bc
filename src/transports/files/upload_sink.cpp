#include "transports/files/upload_sink.hpp"

#include <utility>

#include "protocol/content_disposition.hpp"
#include "protocol/media_types.hpp"
#include "transports/files/file_answers.hpp"
#include "transports/http_negotiate.hpp"
#include "transports/rest/rest_answers.hpp"

namespace parley::transports {

using core::FileProblem;
using core::FileRefusal;
using protocol::MultipartDecoder;

UploadSink::UploadSink(core::Shard& shard, Executor executor, core::FileStore& store,
                       HttpHeaders&& headers)
    : BodySink(executor), shard_(&shard), store_(&store), headers_(std::move(headers)) {}

void UploadSink::await_leave(std::function<void(UploadSink& sink)> begin) {
    begin_ = std::move(begin);
    set_behind(true);
}

void UploadSink::give_leave(const std::optional<protocol::Error>& refused) {
    const auto begin = std::exchange(begin_, nullptr);
    if (!begin || answered()) return;
    if (refused) {
        store_->note_refusal(FileRefusal::not_readable);
        return give(answer_error(*refused));
    }
    set_behind(false);
    begin(*this);
}

void UploadSink::begin_file(core::NewFile file) {
    if (!file.declared_type.empty() && !protocol::is_media_type(file.declared_type)) {
        return refuse({FileRefusal::malformed, "the file's Content-Type is no media type"});
    }
    auto begun = store_->begin(std::move(file), events());
    // The store counts what it refuses.
    if (!begun) return give(answer_file_problem(begun.error()));
    upload_ = std::move(*begun);
    let_in_ = false;
    set_behind(true);
}

void UploadSink::begin_form(core::NewFile file, std::string_view boundary) {
    file_ = std::move(file);
    form_.emplace(boundary);
}

core::FileUploadEvents UploadSink::events() {
    core::FileUploadEvents events;
    events.taken = [shard = shard_, self = weak_from_this()](std::size_t bytes) {
        shard->post([self, bytes](core::Shard&) {
            if (const auto open = self.lock()) open->note_taken(bytes);
        });
    };
    events.done = [shard = shard_,
                   self = weak_from_this()](core::FileAnswer<core::FileInfo>&& answer) {
        shard->post([self, answer = std::move(answer)](core::Shard&) {
            const auto open = self.lock();
            if (!open) return;
            open->give(answer ? answer_uploaded(*answer) : answer_file_problem(answer.error()));
        });
    };
    return events;
}

void UploadSink::note_taken(std::size_t bytes) {
    let_in_ = true;
    under_way_ -= bytes;
    if (under_way_ < window_bytes) set_behind(false);
}

void UploadSink::give(HttpResponse&& response) {
    if (answered()) return;
    if (response.status >= 400) shard_->metrics().add(core::Metric::errors);
    answer(with_headers(std::move(response), std::move(headers_)));
}

void UploadSink::refuse(const FileProblem& problem) {
    upload_.reset();
    store_->note_refusal(problem.cause);
    give(answer_file_problem(problem));
}

void UploadSink::write(std::string&& bytes) {
    under_way_ += bytes.size();
    if (!let_in_ || under_way_ >= window_bytes) set_behind(true);
    upload_->write(std::move(bytes));
}

void UploadSink::take(std::string&& bytes) {
    if (answered()) return;
    if (form_) return take_form(bytes);
    write(std::move(bytes));
}

void UploadSink::end() {
    if (answered()) return;
    if (form_ && !form_->ended()) {
        return refuse({FileRefusal::malformed, "the form ends before its last boundary"});
    }
    if (!upload_) return refuse({FileRefusal::malformed, "the form holds no file"});
    upload_->finish();
}

// ---- forms -----------------------------------------------------------------------------------

void UploadSink::take_form(std::string_view bytes) {
    while (!bytes.empty() && !answered()) {
        const MultipartDecoder::Step step = form_->feed(bytes);
        bytes.remove_prefix(step.consumed);
        const bool of_file = in_file_ && step.status == MultipartDecoder::Status::data;
        around_file_ += step.consumed - (of_file ? step.data.size() : 0);
        if (around_file_ > form_bytes_max) {
            return refuse({FileRefusal::malformed, "the form has more than " +
                                                       std::to_string(form_bytes_max) +
                                                       " bytes beside its file"});
        }
        take_step(step);
    }
    write_gathered();
}

// Once a read: the bytes of a picture fall apart at each that might begin a boundary.
void UploadSink::write_gathered() {
    if (upload_ && !answered() && !gathered_.empty()) write(std::exchange(gathered_, {}));
}

void UploadSink::take_step(const MultipartDecoder::Step& step) {
    switch (step.status) {
        case MultipartDecoder::Status::part_begins:
            return begin_part();
        case MultipartDecoder::Status::data:
            if (in_file_) gathered_.append(step.data);
            return;
        case MultipartDecoder::Status::part_ends:
            write_gathered();
            in_file_ = false;
            return;
        case MultipartDecoder::Status::refused:
            return refuse(
                {FileRefusal::malformed, "the form is malformed: " + std::string(form_->error())});
        case MultipartDecoder::Status::need_more:
        case MultipartDecoder::Status::end:
            return;
    }
}

// Fields that are no files are passed over.
void UploadSink::begin_part() {
    const MultipartDecoder::PartHead& part = form_->part();
    if (!part.disposition.filename) return;
    if (std::exchange(had_file_, true)) {
        return refuse({FileRefusal::malformed, "the form holds more than one file: send one"});
    }
    in_file_ = true;
    file_.name = protocol::clean_file_name(*part.disposition.filename);
    file_.declared_type = media_type(part.content_type);
    begin_file(std::move(file_));
}

}  // namespace parley::transports
