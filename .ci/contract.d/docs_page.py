"""Tests the page /docs in a real browser: authorizes with the key and creates a bot with "Try it out" and the prefilled
example. The page must not load anything from other hosts or log errors.

usage: docs_page.py <URL of the server> <key> <chromium> <chromedriver>"""

import json
import sys
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

TIMEOUT = 30


def browser(chromium: str, driver: str) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in [
        "--headless=new",
        "--no-sandbox",  # The sandbox does not work as root, and the page is our own.
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-proxy-server",
        "--window-size=1400,2000",
    ]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(executable_path=driver))


class Page:
    """The docs page."""

    def __init__(self, driver: webdriver.Chrome):
        self.driver = driver

    def find(self, css: str, text: str = ""):
        """Waits for the first visible element with this selector and text."""

        def look(driver):
            for element in driver.find_elements(By.CSS_SELECTOR, css):
                if element.is_displayed() and text in element.text:
                    return element
            return None

        return WebDriverWait(self.driver, TIMEOUT).until(look, f"{css} {text!r} not found")

    def click(self, css: str, text: str = ""):
        element = self.find(css, text)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def authorize(self, key: str):
        self.click(".scheme-container button.authorize")
        self.find(".modal-ux input[type=text], .modal-ux input[type=password]").send_keys(key)
        self.click(".modal-ux button.authorize", "Authorize")
        self.click(".modal-ux button.btn-done", "Close")

    def create_bot(self) -> tuple[str, dict]:
        """Sends the prefilled example. Returns the displayed status and body."""
        self.click("#operations-Bots-createBot .opblock-summary-control")
        self.click("#operations-Bots-createBot button.try-out__btn", "Try it out")
        self.click("#operations-Bots-createBot button.execute")
        response = "#operations-Bots-createBot .live-responses-table .response"
        status = self.find(f"{response} .response-col_status").text
        body = self.find(f"{response} .highlight-code code").text
        return status.split()[0], json.loads(body)


def foreign_requests(driver: webdriver.Chrome, host: str) -> list[str]:
    """URLs of requests to other hosts."""
    urls = []
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            params = message["params"]
            urls.append(params.get("request", params)["url"])
    check(any(urlsplit(url).path.endswith("/bots") for url in urls), f"requests not captured: {urls}")
    return [
        url for url in urls if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != host
    ]


def check(holds: bool, what: object):
    if not holds:
        sys.exit(f"unexpected: {what}")


def main(url: str, key: str, chromium: str, chromedriver: str):
    driver = browser(chromium, chromedriver)
    try:
        driver.get(f"{url}/docs")
        page = Page(driver)
        page.authorize(key)
        status, body = page.create_bot()
        check(status == "201" and body["success"] is True, (status, body))
        others = foreign_requests(driver, urlsplit(url).netloc)
        check(not others, f"requests to other hosts: {others}")
        errors = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
        check(not errors, f"errors on the console: {errors}")
        print(f"{driver.title}: {status}, {body['data']['name']!r} created")
    finally:
        driver.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
