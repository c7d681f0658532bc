#include "server/file_metrics.hpp"

#include <string>

namespace parley::server {
namespace {

using storage::FileCounters;
using transports::admin::MetricSource;
using transports::admin::Sample;

struct Row {
    const char* name;
    const char* help;
    MetricSource::Kind kind;
    FileCounters::Number FileCounters::*number;
};

constexpr auto counter = MetricSource::Kind::counter;
constexpr auto gauge = MetricSource::Kind::gauge;
constexpr Row rows[] = {
    {"parley_files_stored_total", "Files uploaded and kept.", counter, &FileCounters::stored},
    {"parley_files_deduplicated_total", "Of those, the ones whose content was there already.",
     counter, &FileCounters::deduplicated},
    {"parley_files_removed_total", "Files removed by who had uploaded them.", counter,
     &FileCounters::removed},
    {"parley_files_expired_total", "Files removed for their age (files.keep_age).", counter,
     &FileCounters::expired},
    {"parley_file_uploads_interrupted_total", "Uploads that did not come to their end.", counter,
     &FileCounters::interrupted},
    {"parley_file_uploads_swept_total",
     "What a process before had left of uploads, removed at the start.", counter,
     &FileCounters::swept},
    {"parley_file_bytes_received_total", "Bytes of uploads, refused ones among them.", counter,
     &FileCounters::bytes_received},
    {"parley_file_bytes_read_total", "Bytes read from disk for downloads.", counter,
     &FileCounters::bytes_sent},
    {"parley_file_uploads", "Uploads under way.", gauge, &FileCounters::uploads},
    {"parley_file_downloads", "Downloads under way.", gauge, &FileCounters::downloads},
    {"parley_files", "Files that there are.", gauge, &FileCounters::files},
    {"parley_file_content_bytes", "Bytes of files' content on disk, equal ones counted once.",
     gauge, &FileCounters::content_bytes},
};

}  // namespace

std::vector<MetricSource> file_metrics(const FileCounters* counters) {
    std::vector<MetricSource> sources;
    const auto add = [&](const char* name, const char* help, MetricSource::Kind kind, auto read) {
        sources.push_back({name, help, kind, [counters, read] {
                               return counters == nullptr ? std::vector<Sample>() : read(*counters);
                           }});
    };
    for (const Row& row : rows) {
        add(row.name, row.help, row.kind, [number = row.number](const FileCounters& of) {
            return std::vector<Sample>{{{}, static_cast<double>((of.*number).load())}};
        });
    }
    add("parley_files_failing", "1 while the disk or the index of files fails.", gauge,
        [](const FileCounters& of) {
            return std::vector<Sample>{{{}, of.failing.load() ? 1.0 : 0.0}};
        });
    add("parley_file_refusals_total", "Uploads, downloads and removals refused, by cause.", counter,
        [](const FileCounters& of) {
            std::vector<Sample> samples;
            for (const core::FileRefusalRow& row : core::file_refusal_rows) {
                const auto count = of.refused[static_cast<std::size_t>(row.value)].load();
                samples.push_back({{{"cause", std::string(row.name)}}, static_cast<double>(count)});
            }
            return samples;
        });
    return sources;
}

}  // namespace parley::server
