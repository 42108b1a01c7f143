"""What boto3's users do, one function a test: boto3_client.py WORK ENDPOINT CERTIFICATE|-"""

import os
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import ssl
from xml.etree import ElementTree

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

work, endpoint, certificate = sys.argv[1:]
verify = certificate if certificate != "-" else None
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),
    urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=verify)),
)


def client(**options):
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", verify=verify, **options
    )


def error_of(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError(f"{call.__name__} did not fail")


def fetch(method, url, body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with opener.open(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def form(fields, name, data):
    boundary = "----overcoat-form-boundary"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode() + data + b"\r\n"
    )
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def objects():
    s3 = client()
    bucket = "boto3-objects"
    s3.create_bucket(Bucket=bucket)
    s3.head_bucket(Bucket=bucket)
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    key = "a folder/ünï+code & (1)=~'!*.txt"
    put = s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=b"hello",
        ContentType="text/plain; charset=utf-8",
        ContentDisposition='attachment; filename="x.txt"',
        CacheControl="max-age=60",
        ContentLanguage="de",
        Metadata={"colour": "green", "empty": ""},
    )
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"', put
    head = s3.head_object(Bucket=bucket, Key=key)
    assert head["ContentLength"] == 5 and head["ETag"] == put["ETag"]
    assert head["Metadata"] == {"colour": "green", "empty": ""}, head["Metadata"]
    assert head["ContentType"] == "text/plain; charset=utf-8"
    assert head["ContentDisposition"] == 'attachment; filename="x.txt"'
    assert head["CacheControl"] == "max-age=60" and head["ContentLanguage"] == "de"
    assert "ContentEncoding" not in head, head
    got = s3.get_object(Bucket=bucket, Key=key, ResponseContentType="application/x-other")
    assert got["Body"].read() == b"hello" and got["ContentType"] == "application/x-other"
    assert s3.get_object(Bucket=bucket, Key=key, Range="bytes=-2")["Body"].read() == b"lo"
    assert error_of(s3.get_object, Bucket=bucket, Key=key, Range="bytes=5-") == ("InvalidRange", 416)

    source = {"Bucket": bucket, "Key": key}
    s3.copy_object(Bucket=bucket, Key="kept", CopySource=source)
    assert s3.head_object(Bucket=bucket, Key="kept")["Metadata"]["colour"] == "green"
    s3.copy_object(
        Bucket=bucket,
        Key="replaced",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"colour": "red"},
        ContentType="text/html",
    )
    replaced = s3.head_object(Bucket=bucket, Key="replaced")
    assert replaced["Metadata"] == {"colour": "red"} and replaced["ContentType"] == "text/html"
    assert "CacheControl" not in replaced
    s3.put_object(Bucket=bucket, Key="empty", Body=b"", ContentEncoding="gzip")
    empty = s3.head_object(Bucket=bucket, Key="empty")
    assert empty["ContentLength"] == 0 and empty["ContentEncoding"] == "gzip", empty

    s3.put_object_tagging(
        Bucket=bucket, Key="kept", Tagging={"TagSet": [{"Key": "team", "Value": "data + co"}]}
    )
    tags = s3.get_object_tagging(Bucket=bucket, Key="kept")["TagSet"]
    assert tags == [{"Key": "team", "Value": "data + co"}], tags

    assert error_of(s3.get_object, Bucket=bucket, Key="none") == ("NoSuchKey", 404)
    assert error_of(s3.head_object, Bucket=bucket, Key="none") == ("404", 404)
    assert error_of(s3.list_objects_v2, Bucket="boto3-none") == ("NoSuchBucket", 404)
    assert error_of(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    wrong = client(aws_secret_access_key="wrong", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    assert error_of(wrong.list_buckets) == ("SignatureDoesNotMatch", 403)
    unknown = client(aws_secret_access_key="wrong", aws_access_key_id="unknown")
    assert error_of(unknown.list_buckets) == ("InvalidAccessKeyId", 403)

    s3.delete_object(Bucket=bucket, Key="none")
    names = [key, "kept", "replaced", "empty", "none"]
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": name} for name in names]})
    assert sorted(d["Key"] for d in gone["Deleted"]) == sorted(names) and "Errors" not in gone, gone
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    s3.delete_bucket(Bucket=bucket)


def multipart():
    s3 = client()
    bucket = "boto3-multipart"
    s3.create_bucket(Bucket=bucket)
    size = 20 << 20
    config = TransferConfig(
        multipart_threshold=8 << 20, multipart_chunksize=8 << 20, max_concurrency=4
    )
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "source"), os.path.join(folder, "target")
        data = os.urandom(size)
        with open(source, "wb") as file:
            file.write(data)
        extra = {"Metadata": {"made": "by parts"}, "ContentType": "application/x-parts"}
        s3.upload_file(source, bucket, "deep/er/large.bin", Config=config, ExtraArgs=extra)
        head = s3.head_object(Bucket=bucket, Key="deep/er/large.bin")
        assert head["ContentLength"] == size and head["ETag"].endswith('-3"'), head
        assert head["Metadata"] == {"made": "by parts"}
        assert head["ContentType"] == "application/x-parts"
        s3.download_file(bucket, "deep/er/large.bin", target, Config=config)
        with open(target, "rb") as file:
            assert file.read() == data
        # Large copies go by UploadPartCopy.
        s3.copy({"Bucket": bucket, "Key": "deep/er/large.bin"}, bucket, "copy.bin", Config=config)
        assert s3.get_object(Bucket=bucket, Key="copy.bin")["Body"].read() == data

    upload = s3.create_multipart_upload(Bucket=bucket, Key="aborted")["UploadId"]
    target = {"Bucket": bucket, "Key": "aborted", "UploadId": upload}
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**target, PartNumber=n, Body=b"x" * 100)["ETag"]}
        for n in (1, 2)
    ]
    assert [p["PartNumber"] for p in s3.list_parts(**target)["Parts"]] == [1, 2]
    uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [u["UploadId"] for u in uploads] == [upload]
    complete = s3.complete_multipart_upload
    assert error_of(complete, **target, MultipartUpload={"Parts": parts}) == ("EntityTooSmall", 400)
    parts.reverse()
    assert error_of(complete, **target, MultipartUpload={"Parts": parts}) == ("InvalidPartOrder", 400)
    s3.abort_multipart_upload(**target)
    assert error_of(s3.list_parts, **target) == ("NoSuchUpload", 404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    assert error_of(s3.head_object, Bucket=bucket, Key="aborted") == ("404", 404)


def presigned():
    from botocore.config import Config

    bucket = "boto3-presigned"
    client().create_bucket(Bucket=bucket)
    # boto3 itself chooses version 2 in us-east-1 with an endpoint of one's own.
    for name, config in {
        "default": None,
        "v2": Config(signature_version="s3"),
        "v4": Config(signature_version="s3v4"),
    }.items():
        s3 = client(config=config)
        where = {"Bucket": bucket, "Key": f"{name}/a b+c.txt"}
        put = s3.generate_presigned_url("put_object", Params=where, ExpiresIn=60)
        status, body = fetch("PUT", put, name.encode(), {"Content-Type": ""})
        assert status == 200, (name, body)
        get = s3.generate_presigned_url(
            "get_object", Params={**where, "ResponseContentType": "text/css"}, ExpiresIn=60
        )
        assert fetch("GET", get) == (200, name.encode()), name
        assert fetch("GET", get.replace("/a%20b", "/b%20b"))[0] == 403, name
        assert fetch("DELETE", get)[0] == 403, name
        late = s3.generate_presigned_url("get_object", Params=where, ExpiresIn=-10)
        assert fetch("GET", late)[0] in (400, 403), name

        post = s3.generate_presigned_post(
            bucket,
            f"{name}/posted/${{filename}}",
            Fields={"x-amz-meta-colour": "green"},
            Conditions=[{"x-amz-meta-colour": "green"}, ["content-length-range", 1, 100]],
        )
        status, body = fetch("POST", post["url"], *form(post["fields"], "file.txt", b"posted"))
        assert status == 204, (name, status, body)
        head = s3.head_object(Bucket=bucket, Key=f"{name}/posted/file.txt")
        assert head["ContentLength"] == 6 and head["Metadata"] == {"colour": "green"}, head
        status, body = fetch("POST", post["url"], *form(post["fields"], "big.txt", b"x" * 101))
        assert status == 400 and b"EntityTooLarge" in body, (name, status, body)
        other = {**post["fields"], "x-amz-meta-colour": "red"}
        assert fetch("POST", post["url"], *form(other, "red.txt", b"red"))[0] == 403, name
        told = {"success_action_status": "201"}
        post = s3.generate_presigned_post(
            bucket, f"{name}/told/${{filename}}", Fields=told, Conditions=[told, ["starts-with", "$acl", ""]]
        )
        status, body = fetch("POST", post["url"], *form({**post["fields"], "acl": "private"}, "ä b", b"x"))
        assert status == 201, (name, status, body)
        answer = ElementTree.fromstring(body)
        assert answer.findtext("Key") == f"{name}/told/ä b", body
        assert answer.findtext("Location") == f"{endpoint}/{bucket}/{name}/told/%C3%A4%20b", body
        status, body = fetch("POST", post["url"], *form({**post["fields"], "acl": "public-read"}, "c", b"x"))
        assert status == 400 and b"AccessControlListNotSupported" in body, (name, status, body)
    assert fetch("GET", f"{endpoint}/{bucket}/default/posted/file.txt")[0] == 403


def listing():
    s3 = client()
    bucket = "boto3-listing"
    s3.create_bucket(Bucket=bucket)
    keys = sorted(
        [f"data/{i % 3}/{i:03}.csv" for i in range(60)] + ["top.txt", "data.txt", "data/ü + x"],
        key=lambda key: key.encode(),
    )
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for operation in ("list_objects", "list_objects_v2"):
        pages = s3.get_paginator(operation).paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 7}
        )
        found = [o["Key"] for page in pages for o in page.get("Contents", [])]
        assert found == keys, (operation, found)
        pages = s3.get_paginator(operation).paginate(
            Bucket=bucket, Prefix="data", Delimiter="/", PaginationConfig={"PageSize": 1}
        )
        found = [
            entry
            for page in pages
            for entry in [o["Key"] for o in page.get("Contents", [])]
            + [p["Prefix"] for p in page.get("CommonPrefixes", [])]
        ]
        assert found == ["data.txt", "data/"], (operation, found)
        after = {"Marker" if operation == "list_objects" else "StartAfter": "data/1/"}
        page = getattr(s3, operation)(Bucket=bucket, Prefix="data/", Delimiter="/", **after)
        # A common prefix that is not after the marker as a whole still holds keys that are.
        assert [p["Prefix"] for p in page["CommonPrefixes"]][-1] == "data/2/", page
        assert [o["Key"] for o in page["Contents"]] == ["data/ü + x"], page
    versions = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 10}
    )
    found = [(v["Key"], v["VersionId"]) for page in versions for v in page.get("Versions", [])]
    assert found == [(key, "null") for key in keys], found
    sizes = {o["Key"]: o["Size"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert sizes == {key: len(key.encode()) for key in keys}
    # All of it, through the resource interface.
    session = boto3.resource("s3", endpoint_url=endpoint, region_name="us-east-1", verify=verify)
    session.Bucket(bucket).objects.all().delete()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def conditions():
    s3 = client()
    bucket = "boto3-conditions"
    s3.create_bucket(Bucket=bucket)
    failed = ("PreconditionFailed", 412)
    where = {"Bucket": bucket, "Key": "x"}
    etag = s3.put_object(**where, Body=b"one", IfNoneMatch="*")["ETag"]
    assert error_of(s3.put_object, **where, Body=b"two", IfNoneMatch="*") == failed
    assert error_of(s3.put_object, **where, Body=b"two", IfMatch='"00"') == failed
    assert s3.get_object(**where)["Body"].read() == b"one"
    assert error_of(s3.get_object, **where, IfMatch='"00"') == failed
    assert error_of(s3.get_object, **where, IfNoneMatch=etag)[1] == 304
    modified = s3.head_object(**where)["LastModified"]
    assert error_of(s3.get_object, **where, IfModifiedSince=modified)[1] == 304
    assert s3.get_object(**where, IfUnmodifiedSince=modified)["Body"].read() == b"one"
    source = {"Bucket": bucket, "Key": "x"}
    copy = {"Bucket": bucket, "Key": "y", "CopySource": source}
    assert error_of(s3.copy_object, **copy, CopySourceIfMatch='"00"') == failed
    s3.copy_object(**copy, CopySourceIfMatch=etag)
    new = s3.put_object(**where, Body=b"two", IfMatch=etag)["ETag"]
    assert new != etag and s3.get_object(**where)["Body"].read() == b"two"
    absent = {"Bucket": bucket, "Key": "absent"}
    assert error_of(s3.put_object, **absent, Body=b"", IfMatch=etag)[1] == 404


def snippet():
    # The bucket is there, as the drive's folders are.
    boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="user",
        aws_secret_access_key="password",
    ).create_bucket(Bucket="onedrive-bucket")
    with open("train.csv", "w", encoding="utf-8") as file:
        file.write("id,label\n1,cat\n")
    code = '''
import boto3

s3 = boto3.client(
    "s3",
    endpoint_url="http://localhost:9000",
    aws_access_key_id="user",
    aws_secret_access_key="password",
)

s3.upload_file("train.csv", "onedrive-bucket", "datasets/train.csv")
'''
    scope = {}
    # Only the port is the test's own.
    exec(code.replace("http://localhost:9000", endpoint), scope)
    got = scope["s3"].get_object(Bucket="onedrive-bucket", Key="datasets/train.csv")
    assert got["Body"].read() == b"id,label\n1,cat\n"


{
    "objects": objects,
    "multipart": multipart,
    "presigned": presigned,
    "listing": listing,
    "conditions": conditions,
    "snippet": snippet,
}[work]()
print("ok")
