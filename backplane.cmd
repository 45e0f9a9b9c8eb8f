@echo off
rem SPDX-License-Identifier: Apache-2.0
rem Starts Backplane on Windows: builds it if it was never built, and needs a JDK 25 as JAVA_HOME or on the PATH.
setlocal
set "HOME_DIR=%~dp0"
if exist "%~dp0pom.xml" set "HOME_DIR=%~dp0distribution\assembly\target\backplane\"
if not exist "%HOME_DIR%lib\" call mvn -q -f "%~dp0pom.xml" -DskipTests -pl distribution/assembly -am package || exit /b 1
set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java"
"%JAVA%" --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC ^
  "-Dbackplane.home=%HOME_DIR%." %BACKPLANE_JAVA_OPTS% -cp "%HOME_DIR%lib\*" org.backplane.launcher.Main %*
exit /b %ERRORLEVEL%
