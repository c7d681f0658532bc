# Runs one test file under node's own test runner; ctest calls this as
#   cmake -DTEST=file [-DMODULES=directory -DPARLEYD=program -DPARLEY_LOAD=program
#         -DECHO_SERVER=program -DCONF=directory -DSTORE=name -DPOSTGRES_BIN=directory] -P run_node_test.cmake
# MODULES: where the packages of package-lock.json go, outside the source tree; they are installed
# when the lock file is newer than what is there.
cmake_minimum_required(VERSION 3.25)

find_program(node NAMES node nodejs)
if(NOT node)
    message(FATAL_ERROR "node was not found: install Node.js 18 or newer")
endif()

if(MODULES)
    find_program(npm npm)
    if(NOT npm)
        message(FATAL_ERROR "npm was not found: install the Debian package npm")
    endif()
    file(MAKE_DIRECTORY ${MODULES})
    file(LOCK ${MODULES} DIRECTORY GUARD PROCESS TIMEOUT 120)
    set(lock ${CMAKE_CURRENT_LIST_DIR}/package-lock.json)
    set(installed ${MODULES}/installed)
    if(NOT EXISTS ${installed} OR ${lock} IS_NEWER_THAN ${installed})
        file(COPY ${CMAKE_CURRENT_LIST_DIR}/package.json ${lock} DESTINATION ${MODULES})
        execute_process(COMMAND ${npm} ci --no-audit --no-fund WORKING_DIRECTORY ${MODULES}
                        COMMAND_ERROR_IS_FATAL ANY)
        file(TOUCH ${installed})
    endif()
    file(LOCK ${MODULES} DIRECTORY RELEASE)
    set(ENV{NODE_PATH} ${MODULES}/node_modules)
endif()

set(ENV{PARLEYD} "${PARLEYD}")
set(ENV{PARLEY_LOAD} "${PARLEY_LOAD}")
set(ENV{ECHO_SERVER} "${ECHO_SERVER}")
set(ENV{CONF} "${CONF}")
set(ENV{STORE} "${STORE}")
set(ENV{POSTGRES_BIN} "${POSTGRES_BIN}")
execute_process(COMMAND ${node} --test ${TEST} RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "${TEST} failed (${result})")
endif()
