# One sanitizer for everything that is compiled, Asio's own translation unit included.
if(PARLEY_SANITIZER STREQUAL "address")
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
elseif(PARLEY_SANITIZER STREQUAL "thread")
    # Asio has fences, of which ThreadSanitizer knows nothing; ours has none.
    add_compile_options(-fsanitize=thread -fno-omit-frame-pointer
                        $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
    add_link_options(-fsanitize=thread)
elseif(PARLEY_SANITIZER STREQUAL "coverage")
    add_compile_options(--coverage -O0)
    add_link_options(--coverage)
elseif(NOT PARLEY_SANITIZER STREQUAL "")
    message(FATAL_ERROR "PARLEY_SANITIZER is '${PARLEY_SANITIZER}', expected address, thread or coverage")
endif()
