import datetime
import unittest

from check import contains, problems

TODAY = datetime.date(2026, 11, 29)
DATABASE = {
    "crates": {
        "parser": [
            {
                "id": "RUSTSEC-1",
                "title": "A loop",
                "informational": None,
                "patched": [">= 1.2.3, < 2.0.0-alpha.1", ">= 2.0.0-alpha.6"],
                "unaffected": ["< 1.0.0"],
            }
        ]
    }
}


def found(version: str, *exceptions: dict) -> list[str]:
    package = {"name": "parser", "version": version, "source": "registry"}
    return problems(DATABASE, [package], list(exceptions), TODAY)


def exception(until: datetime.date) -> dict:
    return {"id": "RUSTSEC-1", "until": until, "reason": "tests"}


class Ranges(unittest.TestCase):
    def test_ranges_follow_semver_and_cargo(self):
        for range_, inside, outside in [
            (">= 1.2.3", ["1.2.3", "2.0.0"], ["1.2.2", "1.2.3-rc.1"]),
            (">= 1.2, < 1.4", ["1.2.0", "1.3.9"], ["1.4.0", "1.1.9"]),
            ("^1.2.3", ["1.2.3", "1.9.0"], ["2.0.0", "1.2.2", "2.0.0-alpha"]),
            ("0.3.1", ["0.3.1", "0.3.9"], ["0.4.0", "0.3.0"]),
            ("^0.0.3", ["0.0.3"], ["0.0.4"]),
            ("~1.2.3", ["1.2.9"], ["1.3.0"]),
            ("= 1.0.0", ["1.0.0", "1.0.0+build"], ["1.0.1"]),
            ("> 1.0.0-alpha.9", ["1.0.0-alpha.10", "1.0.0-beta", "1.0.0"], ["1.0.0-alpha.9", "1.0.0-alpha"]),
        ]:
            for version in inside:
                self.assertTrue(contains(range_, version), (range_, version))
            for version in outside:
                self.assertFalse(contains(range_, version), (range_, version))

    def test_a_range_that_cannot_be_read_is_an_error(self):
        for range_ in ["", "newer", ">= 1.x"]:
            with self.assertRaises(ValueError):
                contains(range_, "1.0.0")


class Problems(unittest.TestCase):
    def test_a_version_in_no_listed_range_is_affected(self):
        affected = {version for version in ["0.9.0", "1.1.0", "1.2.3", "2.0.0-alpha.2", "2.0.0"] if found(version)}
        self.assertEqual(affected, {"1.1.0", "2.0.0-alpha.2"})

    def test_an_exception_holds_until_its_date(self):
        self.assertEqual(found("1.1.0", exception(TODAY)), [])
        self.assertEqual(len(found("1.1.0", exception(TODAY - datetime.timedelta(days=1)))), 1)

    def test_an_exception_without_a_package_is_a_problem(self):
        self.assertEqual(len(found("1.2.3", exception(TODAY))), 1)

    def test_a_package_of_the_workspace_is_not_checked(self):
        self.assertEqual(problems(DATABASE, [{"name": "parser", "version": "1.1.0"}], [], TODAY), [])


if __name__ == "__main__":
    unittest.main()
